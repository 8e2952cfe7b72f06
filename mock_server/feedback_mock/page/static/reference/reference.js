// Shows one of the server's documents in Swagger UI, with requests to this server and to no other.

const chosen = new URLSearchParams(location.search).get("document");
const link = document.querySelector(`[data-document="${chosen === "control" || chosen === "ingest" ? chosen : "openapi"}"]`);
const dark = matchMedia("(prefers-color-scheme: dark)");

link.setAttribute("aria-current", "page");
document.title = `${link.textContent} · Feedback mock`;
paint();
dark.addEventListener("change", paint);

globalThis.SwaggerUIBundle({
  domNode: document.getElementById("reference"),
  url: new URL(`../documents/${link.dataset.document}.json`, location.href).href,
  validatorUrl: null, // which would send the document to a server of Swagger's
  queryConfigEnabled: false,
  tryItOutEnabled: true,
  deepLinking: false,
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin !== location.origin) throw new Error("Requests go to this server only.");
    return request;
  },
});

function paint() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}
