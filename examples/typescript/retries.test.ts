// What a client does when the network or the server fails: seven requirements for retries, one test each.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { FeedbackMock, Sandbox } from "feedback-mock-client";
import { FeedbackClient, ServerError } from "./feedback-client.js";

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

test("attempts are counted", async () => {
  await sandbox.fail({ effect: { connection: "EMPTY_RESPONSE" }, times: 1 });

  await client.submit(FOUND);

  assert.deepEqual((await sandbox.requests()).map((each) => each.response.status), [0, 200]);
});

test("every attempt has the same headers and body", async () => {
  await sandbox.fail({ effect: { connection: "EMPTY_RESPONSE" }, times: 1 });

  await client.submit(FOUND);

  const [first, second] = (await sandbox.requests()).map((each) => each.request);
  assert.deepEqual(JSON.parse(first?.postData?.text ?? ""), FOUND);
  assert.equal(second?.postData?.text, first?.postData?.text);
  assert.deepEqual(second?.headers, first?.headers);
  assert.deepEqual(first?.headers.find((each) => each.name === "authorization")?.value, "Bearer [redacted]");
});

test("server errors are told until it works", async () => {
  await sandbox.fail({ effect: { status: 503 }, times: 2 });

  for (const _ of [1, 2]) await assert.rejects(client.submit(FOUND), { status: 503 });

  assert.equal((await client.submit(FOUND)).name, "Jane Smith");
});

test("a connection reset before storing leaves one record", async () => {
  await sandbox.fail({ effect: { connection: "CONNECTION_RESET_BY_PEER" }, phase: "before", times: 1 });

  await client.submit(FOUND);

  assert.deepEqual((await sandbox.requests()).map((each) => each._feedback.rule), [null, "submission"]);
  assert.equal((await sandbox.listFeedback()).length, 1);
});

test("a connection reset after storing leaves one record", async () => {
  await sandbox.fail({ effect: { connection: "CONNECTION_RESET_BY_PEER" }, phase: "after", times: 1 });

  await client.submit(FOUND);

  assert.deepEqual((await sandbox.requests()).map((each) => each._feedback.rule), ["submission", "overwrite"]);
  assert.equal((await sandbox.listFeedback()).length, 1);
});

test("a rate limit says when to come back, and holds for this test alone", async () => {
  const other = await Sandbox.in(mock);
  await sandbox.fail({ effect: { status: 429, retry_after: 60 } });

  await assert.rejects(client.submit(FOUND), (error) => {
    assert(error instanceof ServerError);
    assert.deepEqual([error.status, error.retryAfter], [429, 60]);
    return true;
  });

  assert.equal((await sandbox.requests()).length, 1);
  assert.equal((await clientOf(other).submit(FOUND)).name, "Jane Smith");
  await other.deleteProject();
});

test("a slow answer is given up and retried", async () => {
  await sandbox.fail({ effect: { delay: "until_released" }, phase: "after", times: 1 });
  const patient: typeof fetch = (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(1000) });

  await clientOf(sandbox, patient).submit(FOUND);

  assert.equal((await sandbox.requests()).length, 2);
  assert.equal((await sandbox.listFeedback()).length, 1);
});

test("half an answer is not taken for a refusal", async () => {
  await sandbox.fail({ effect: { broken_body: "truncated" }, times: 1 });

  await assert.rejects(client.submit(FOUND), SyntaxError);

  assert.equal((await sandbox.listFeedback()).length, 1);
});

test("an answer of another shape is not taken for a refusal", async () => {
  await sandbox.fail({ effect: { broken_body: "wrong" }, times: 1 });

  assert.equal((await client.submit(FOUND)).id, undefined);

  assert.equal((await sandbox.listFeedback()).length, 1);
});
