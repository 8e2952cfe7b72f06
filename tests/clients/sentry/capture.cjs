// Captures one exception with Sentry's SDK for Node and prints what it was, as JSON. Arguments: the package, the DSN.

const [module_, dsn] = process.argv.slice(2);
const Sentry = require(module_);
const statuses = [];

Sentry.init({ dsn, environment: "test", autoSessionTracking: false });
Sentry.getClient().on("afterSendEvent", (_event, response) => statuses.push(response.statusCode));
const event_id = Sentry.captureException(new TypeError("It broke in Node"));
Sentry.flush(30_000).then((flushed) => {
  console.log(JSON.stringify({ version: Sentry.SDK_VERSION, event_id, flushed, statuses }));
  process.exit(0);
});
