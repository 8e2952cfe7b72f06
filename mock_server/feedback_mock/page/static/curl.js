// A request of the journal as a POSIX shell command that sends it again. Sends nothing itself.

const LEFT_TO_CURL = new Set(["host", "content-length", "connection", "accept-encoding", "transfer-encoding", "expect"]);
const HIDDEN = "[redacted]";

/** The command, with the project's own credentials in place of those that the journal hides. */
export function curl(entry, project) {
  const target = entry.request.url.replace(/^https?:\/\/[^/]*/, ""); // the host is the client's; the command goes here
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

/**
 * The word quoted for a shell, so that no character has a special meaning: a quotation mark and a backslash, which fish
 * reads as an escape between quotation marks, are outside of them; zsh replaces what begins with `=`, and fish `%self`.
 */
export function quoted(word) {
  return /^[\w@+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replace(/['\\]/g, "'\\$&'")}'`;
}

function shown(name, value, { tokens, dsn }) {
  if (!value.includes(HIDDEN)) return value;
  const scheme = value.slice(0, value.indexOf(HIDDEN)).trim().toLowerCase();
  if (scheme === "bearer") return `Bearer ${tokens.write}`;
  if (scheme === "dsn") return `DSN ${dsn}`;
  if (name.toLowerCase() === "x-sentry-auth" || scheme === "sentry") return `Sentry sentry_key=${new URL(dsn).username}`;
  return value;
}
