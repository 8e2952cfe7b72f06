// Lives through 31 minutes of a faked clock with Sentry's SDK for Node, and prints what it saw, as JSON.
// Arguments: the package, the DSN, where feedback is submitted, a token, and the instant at which it begins.

const { mock } = require("node:test");

const [module_, dsn, url, token, start] = process.argv.slice(2);
mock.timers.enable({ apis: ["Date"], now: Date.parse(start) });
const Sentry = require(module_);
const told = [];
const MINUTE = 60_000;

async function submit(event_id, comments) {
  const now = new Date().toISOString();
  const answer = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", "X-Feedback-Now": now },
    body: JSON.stringify({ event_id, name: "Jane Smith", email: "jane@example.com", comments }),
  });
  told.push([now, answer.status]);
}

async function capture(text) {
  const id = Sentry.captureException(new TypeError(text));
  await Sentry.flush(30_000);
  return id;
}

(async () => {
  Sentry.init({ dsn, release: "sdk@1" });
  const broke = await capture("It broke");
  mock.timers.tick(MINUTE);
  const old = await capture("It is old");
  mock.timers.tick(23 * MINUTE);
  await submit(broke, "It broke!");
  await submit(broke, "It broke!");
  mock.timers.tick(5 * MINUTE);
  await submit(broke, "It broke again!");
  mock.timers.tick(1);
  await submit(broke, "Too late.");
  mock.timers.tick(2 * MINUTE - 1);
  await submit(old, "As old as can be.");
  mock.timers.tick(1);
  await submit(old, "It is.");
  await submit(broke, "Much too late.");
  console.log(JSON.stringify({ version: Sentry.SDK_VERSION, told }));
})();
