// openapi-backend with the same document: node openapi_backend.js DOCUMENT TOKEN --port PORT. Stores, but knows no windows.
const http = require("http");
const { OpenAPIBackend } = require("openapi-backend");

const [, , definition, token, , port] = process.argv;
const records = new Map();
const api = new OpenAPIBackend({ definition, ignoreTrailingSlashes: false, ajvOpts: { strict: false, logger: false } });

function submit(context) {
  const body = context.request.requestBody;
  const eventID = body.event_id.toLowerCase();
  const known = records.get(eventID) || { id: String(records.size + 1), dateCreated: new Date().toISOString() };
  const { name, email, comments } = body;
  records.set(eventID, { ...known, name, email, comments });
  const event = { id: eventID, eventID };
  return [200, { ...records.get(eventID), eventID, event, issue: null, user: null }];
}

api.register({
  validationFail: (context) => [400, { detail: context.validation.errors }],
  unauthorizedHandler: () => [401, { detail: "Invalid token" }],
  notFound: () => [404, { detail: "Route not found." }],
  postResponseHandler: (context) => {
    const [status, value] = context.response;
    const found = status === 200 ? context.api.validateResponse(value, context.operation, status) : { errors: null };
    return found.errors ? [500, { detail: found.errors }] : context.response;
  },
});
api.registerSecurityHandler("bearer", (context) => context.request.headers.authorization === `Bearer ${token}`);

api.init().then(() => {
  const operation = api.getOperations().find((each) => each.method === "post");
  api.register(operation.operationId, submit);
  http
    .createServer((request, response) => {
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", async () => {
        const { method, url, headers } = request;
        const body = Buffer.concat(parts).toString();
        const [status, value] = await api.handleRequest({ method, path: url, headers, body });
        const content = JSON.stringify(value);
        response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(content) });
        response.end(content);
      });
    })
    .listen(Number(port), "127.0.0.1");
});
