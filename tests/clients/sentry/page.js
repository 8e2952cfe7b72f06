// What a page does in a browser: captures exceptions, sends all else that the SDK has, then submits what its server
// asks for and tells it the answers.

import * as Sentry from "@sentry/browser";

const { dsn, feedback, texts } = JSON.parse(document.body.dataset.task);

async function capture() {
  const replay = Sentry.replayIntegration({ minReplayDuration: 0 });
  Sentry.init({
    dsn,
    environment: "test",
    release: "sdk@1",
    tracesSampleRate: 1,
    enableLogs: true,
    replaysSessionSampleRate: 1,
    integrations: [replay],
    // What is not kept, a client report tells of.
    beforeSend: (event) => (event.message === "Not sent" ? null : event),
  });
  Sentry.captureMessage("Not sent");
  const captured = Sentry.startSpan({ name: "a transaction" }, () =>
    Sentry.withScope((scope) => {
      scope.addAttachment({ filename: "every-byte", data: Uint8Array.from({ length: 65_536 }, (_, index) => index) });
      return texts.map((text) => Sentry.captureException(new RangeError(text)));
    }),
  );
  Sentry.captureFeedback({ message: "Feedback as an event of its own", associatedEventId: captured[0] });
  Sentry.logger.info("a log");
  Sentry.metrics.count("a metric", 1);
  await replay.flush();
  const flushed = await Sentry.flush(30_000);
  return { version: Sentry.SDK_VERSION, captured, flushed };
}

async function submit(body) {
  const answer = await fetch(feedback, {
    method: "POST",
    headers: { Authorization: `DSN ${dsn}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text && JSON.parse(text) };
}

// The answer to what was told is the next body to submit.
async function tell(what) {
  const next = await fetch("/tell", { method: "POST", body: JSON.stringify(what) });
  return next.json();
}

try {
  let next = await tell(await capture());
  while (next) next = await tell(await submit(next));
} catch (error) {
  await tell({ error: String(error) });
}
