// Shows one of the server's documents in Swagger UI, which sends requests only to this server.

const chosen = new URLSearchParams(location.search).get("document");
const link = document.querySelector(`[data-document="${chosen === "control" || chosen === "ingest" ? chosen : "openapi"}"]`);
const dark = matchMedia("(prefers-color-scheme: dark)");

// What Swagger UI leaves without a name, without a place or out of order, for those who hear the page.
const REPAIRS = {
  ".examples-select-element": { "aria-label": "Example" },
  ".content-type": { "aria-label": "Media type" },
  ".body-param__text": { "aria-label": "Request body" },
  "input[type=file]": { "aria-label": "File" },
  "h3.opblock-tag": { "aria-level": "2" },
  ".opblock h4": { "aria-level": "3" },
  ".opblock h5": { "aria-level": "4" },
  ".information-container": { role: "region", "aria-label": "About this document" },
  ".scheme-container": { role: "region", "aria-label": "Credentials" },
};

link.setAttribute("aria-current", "page");
document.title = `${link.textContent} · Feedback mock`;
paint();
dark.addEventListener("change", paint);

new MutationObserver(repair).observe(document.getElementById("reference"), { childList: true, subtree: true });
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

function repair() {
  for (const [selector, attributes] of Object.entries(REPAIRS)) {
    for (const element of document.querySelectorAll(selector)) {
      for (const [name, value] of Object.entries(attributes)) if (!element.hasAttribute(name)) element.setAttribute(name, value);
    }
  }
}

function paint() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}
