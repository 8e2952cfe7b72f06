// Captures exceptions with Sentry's SDK for Node, sends all else that it has, and prints what it captured, as JSON.
// Arguments: the package, the DSN, then what each exception says.

const [module_, dsn, ...texts] = process.argv.slice(2);
const Sentry = require(module_);

Sentry.init({
  dsn,
  environment: "test",
  release: "sdk@1",
  tracesSampleRate: 1,
  enableLogs: true,
  // What is not kept, a client report tells of.
  beforeSend: (event) => (event.message === "Not sent" ? null : event),
});
Sentry.startSession();
Sentry.captureMessage("Not sent");
const captured = Sentry.startSpan({ name: "a transaction" }, () =>
  Sentry.withScope((scope) => {
    // Large enough to be sent compressed.
    scope.addAttachment({ filename: "every-byte", data: Uint8Array.from({ length: 65_536 }, (_, index) => index) });
    return texts.map((text) => Sentry.captureException(new TypeError(text)));
  }),
);
Sentry.endSession();
Sentry.captureCheckIn({ monitorSlug: "nightly", status: "ok" });
// Version 7 has none of these, 8 no metrics and its logs elsewhere.
Sentry.captureFeedback?.({ message: "Feedback as an event of its own", associatedEventId: captured[0] });
Sentry.logger?.info?.("a log");
Sentry.metrics?.count?.("a metric", 1);
// The client report is sent as the process ends.
Sentry.flush(30_000).then((flushed) => {
  console.log(JSON.stringify({ version: Sentry.SDK_VERSION, captured, flushed }));
});
