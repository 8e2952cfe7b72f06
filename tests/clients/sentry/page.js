// What a page does in a browser: captures an exception, submits feedback for it, overwrites it, and comes too late.
// Everything it saw goes to the server that it came from.

import * as Sentry from "@sentry/browser";

const { dsn, feedback } = JSON.parse(document.body.dataset.place);

async function submit(event_id, comments) {
  const answer = await fetch(feedback, {
    method: "POST",
    headers: { Authorization: `DSN ${dsn}`, "Content-Type": "application/json" },
    body: JSON.stringify({ event_id, name: "Jane Smith", email: "jane@example.com", comments }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text && JSON.parse(text) };
}

async function tell() {
  const statuses = [];
  Sentry.init({ dsn, environment: "test" });
  Sentry.getClient().on("afterSendEvent", (_event, response) => statuses.push(response.statusCode));
  const event_id = Sentry.captureException(new RangeError("It broke in a browser"));
  const flushed = await Sentry.flush(30_000);
  const seen = { version: Sentry.SDK_VERSION, event_id, flushed, statuses };
  seen.submitted = await submit(event_id, "It broke!");
  await fetch("/advance?duration=PT5M", { method: "POST" });
  seen.overwritten = await submit(event_id, "It still is.");
  await fetch("/advance?duration=PT0.000001S", { method: "POST" });
  seen.late = await submit(event_id, "Too late.");
  return seen;
}

tell()
  .catch((error) => ({ error: String(error) }))
  .then((seen) => fetch("/seen", { method: "POST", body: JSON.stringify(seen) }));
