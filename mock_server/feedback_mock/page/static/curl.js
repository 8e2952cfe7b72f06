// A request of the journal as a line of a POSIX shell that sends it again. Sends nothing.

const LEFT_TO_CURL = new Set(["host", "content-length", "connection", "accept-encoding", "transfer-encoding", "expect"]);
const HIDDEN = "[redacted]";

/** The line; what the journal hides of credentials is the project's own in it. */
export function curl(entry, project) {
  const target = entry.request.url.replace(/^https?:\/\/[^/]*/, ""); // the host is the client's; the line goes here
  const words = ["curl", "-isg", "--path-as-is", "-X", entry.request.method, location.origin + target];
  for (const { name, value } of entry.request.headers) {
    if (LEFT_TO_CURL.has(name.toLowerCase()) || name.toLowerCase() === "content-encoding") continue;
    const sent = shown(name, value, project);
    words.push("-H", sent === "" ? `${name};` : `${name}: ${sent}`);
  }
  const { postData } = entry.request;
  if (postData?._encoding) {
    return `printf %s ${quoted(postData.text)} | base64 -d | ${[...words, "--data-binary", "@-"].map(quoted).join(" ")}`;
  }
  if (postData) words.push("--data-raw", postData.text);
  return words.map(quoted).join(" ");
}

/** The word as a shell takes it; no character of it has a meaning there. */
export function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function shown(name, value, { tokens, dsn }) {
  if (!value.includes(HIDDEN)) return value;
  const scheme = value.slice(0, value.indexOf(HIDDEN)).trim().toLowerCase();
  if (scheme === "bearer") return `Bearer ${tokens.write}`;
  if (scheme === "dsn") return `DSN ${dsn}`;
  if (name.toLowerCase() === "x-sentry-auth" || scheme === "sentry") return `Sentry sentry_key=${new URL(dsn).username}`;
  return value;
}
