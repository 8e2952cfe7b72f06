// The client, tested against the mock: one mock for all tests, a separate project for each.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { FeedbackMock, Sandbox } from "feedback-mock-client";
import { FeedbackClient, Invalid, TooLate } from "./feedback-client.js";

const EVENT = "7167980ca1db42cdba8d5284e7f81c66";
const FOUND = { event_id: EVENT, name: "Jane Smith", email: "jane@example.com", comments: "It broke!" };

let mock: FeedbackMock;
let sandbox: Sandbox;
let client: FeedbackClient;

before(async () => {
  mock = await FeedbackMock.start();
});
after(() => mock?.stop());
beforeEach(async () => {
  sandbox = await Sandbox.in(mock);
  client = clientOf(sandbox);
});
afterEach(() => sandbox?.deleteProject());

function clientOf({ organization, project, tokens }: Sandbox, http?: typeof fetch): FeedbackClient {
  return new FeedbackClient(mock.url, organization, project, `Bearer ${tokens.write}`, http);
}

test("feedback is stored with the issue of its event", async () => {
  await sandbox.putEvent(EVENT, { title: "TypeError: undefined is not a function" });

  const stored = await client.submit(FOUND);

  assert.equal(stored.comments, "It broke!");
  assert.equal(stored.issue?.title, "TypeError: undefined is not a function");
});

test("a DSN may submit", async () => {
  const withDsn = new FeedbackClient(mock.url, sandbox.organization, sandbox.project, `DSN ${sandbox.dsn}`);

  assert.equal((await withDsn.submit(FOUND)).name, "Jane Smith");
});

test("a later submission overwrites", async () => {
  const first = await client.submit(FOUND);

  const second = await client.submit({ ...FOUND, comments: "The button does nothing." });

  assert.equal(second.id, first.id);
  assert.deepEqual((await sandbox.listFeedback()).map((each) => each.comments), ["The button does nothing."]);
});

test("a retry after a lost answer leaves one record", async () => {
  let tries = 0;
  const losesTheFirstAnswer: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    if (++tries === 1) throw new TypeError("The answer was lost.");
    return response;
  };

  await clientOf(sandbox, losesTheFirstAnswer).submit(FOUND);

  assert.equal(tries, 2);
  assert.equal((await sandbox.listFeedback()).length, 1);
});

test("the event window ends after exactly 30 minutes", async () => {
  await sandbox.putEvent(EVENT);
  await sandbox.advanceClock({ duration: "PT30M" });
  await client.submit(FOUND);

  await sandbox.advanceClock({ duration: "PT0.000001S" });

  await assert.rejects(client.submit(FOUND), TooLate);
});

test("the overwrite window ends after exactly 5 minutes", async () => {
  await client.submit(FOUND);
  await sandbox.advanceClock({ duration: "PT5M" });
  await client.submit(FOUND);

  await sandbox.advanceClock({ duration: "PT0.000001S" });

  await assert.rejects(client.submit(FOUND), TooLate);
});

test("invalid fields are named", async () => {
  await assert.rejects(client.submit({ ...FOUND, email: "nobody" }), (error) => {
    assert(error instanceof Invalid);
    assert.deepEqual(error.errors, { email: ["Enter a valid email address."] });
    return true;
  });
});
