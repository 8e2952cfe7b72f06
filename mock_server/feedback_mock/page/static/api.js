// Sends HTTP requests to the server that this page comes from, and to no other.

const ROOT = "/_control/";
const TOKEN = "control-token";

// If other machines can reach the server, the address that it prints includes the token, which stays in this tab.
const brought = location.hash.match(/^#token=([^&]+)$/);
if (brought) {
  sessionStorage.setItem(TOKEN, decodeURIComponent(brought[1]));
  history.replaceState(null, "", location.pathname);
}

let askForToken = async () => {
  throw new Problem("The server requires its control token.", 401);
};
let asking = null;

/** A refusal or a failure, in one sentence. */
export class Problem extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** The path of a project in the control protocol. */
export function place({ organization, project }) {
  return `projects/${encodeURIComponent(organization)}/${encodeURIComponent(project)}`;
}

/** Performs an operation of the control protocol; returns its JSON, null for none. Throws Problem. */
export async function control(method, path, body) {
  const answer = await allowed(`${ROOT}${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw await problem(answer);
  return answer.status === 204 ? null : answer.json();
}

/** A document that the server serves, as JSON. */
export async function documentNamed(name) {
  const answer = await ask(`documents/${name}.json`, {});
  if (!answer.ok) throw await problem(answer);
  return answer.json();
}

/** Sends any request to this server; returns the response, whatever it says. Throws Problem if there is none. */
export async function ask(path, options) {
  try {
    return await fetch(path, { credentials: "omit", cache: "no-store", ...options, headers: { ...authorization(path), ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(options.lost ?? "The server does not respond: it has stopped, or the connection broke.");
  }
}

function authorization(path) {
  const token = path.startsWith(ROOT) ? sessionStorage.getItem(TOKEN) : null;
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/** The events of a project, one after the other: `[name, data]`. Throws Problem. */
export async function* follow(project, signal) {
  const answer = await allowed(`${ROOT}${place(project)}/stream`, { signal });
  if (!answer.ok) throw await problem(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (fields.has("event")) yield [fields.get("event"), JSON.parse(fields.get("data"))];
    }
  }
}

/** Sets who supplies the control token if the server requires one; told whether the last one was wrong. */
export function tokensFrom(person) {
  askForToken = person;
}

/** Like `ask`, but asks for the token first if it is missing or wrong. */
async function allowed(path, options) {
  for (;;) {
    const answer = await ask(path, options);
    if (answer.status !== 401) return answer;
    asking ??= askForToken(sessionStorage.getItem(TOKEN) !== null).finally(() => (asking = null));
    sessionStorage.setItem(TOKEN, await asking);
  }
}

async function problem(answer) {
  const text = await answer.text();
  try {
    return new Problem(JSON.parse(text).detail ?? text, answer.status);
  } catch {
    return new Problem(`The server answered ${answer.status}.`, answer.status);
  }
}
