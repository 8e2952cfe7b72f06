// Submits one feedback and reports the outcome in its exit code: for `feedback-verify client -- node build/submit.js`.

import { FeedbackClient } from "./feedback-client.js";

const given = (name: string): string => process.env[`FEEDBACK_${name}`] ?? "";

const patient: typeof fetch = (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(2000) });
const place = [given("URL"), given("ORGANIZATION"), given("PROJECT")] as const;
const client = new FeedbackClient(...place, `Bearer ${given("TOKEN")}`, patient);
try {
  await client.submit({
    event_id: given("EVENT_ID"),
    name: given("NAME"),
    email: given("EMAIL"),
    comments: given("COMMENTS"),
  });
} catch (error) {
  console.error(`The feedback was not delivered: ${error}`);
  process.exitCode = 1;
}
