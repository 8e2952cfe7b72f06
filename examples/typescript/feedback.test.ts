// The client, tested against the mock: one mock for all tests, a project of its own for each.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { FeedbackClient, Invalid, TooLate } from "./feedback-client.js";
import { FeedbackMock, type Project } from "./feedback-mock.js";

const EVENT = "7167980ca1db42cdba8d5284e7f81c66";
const FOUND = { event_id: EVENT, name: "Jane Smith", email: "jane@example.com", comments: "It broke!" };

let mock: FeedbackMock;
let project: Project;
let client: FeedbackClient;
let number = 0;

before(async () => {
  mock = await FeedbackMock.start();
});
after(() => mock?.stop());
beforeEach(async () => {
  project = await mock.project(`project-${++number}`);
  client = new FeedbackClient(mock.url, project.organization, project.name, project.bearer);
});
afterEach(() => project?.delete());

test("feedback is stored with the issue of its event", async () => {
  await project.saveEvent(EVENT, { title: "TypeError: undefined is not a function" });

  const stored = await client.submit(FOUND);

  assert.equal(stored.comments, "It broke!");
  assert.equal(stored.issue?.title, "TypeError: undefined is not a function");
});

test("a DSN may submit", async () => {
  const withDsn = new FeedbackClient(mock.url, project.organization, project.name, project.dsn);

  assert.equal((await withDsn.submit(FOUND)).name, "Jane Smith");
});

test("a later submission overwrites", async () => {
  const first = await client.submit(FOUND);

  const second = await client.submit({ ...FOUND, comments: "The button does nothing." });

  assert.equal(second.id, first.id);
  assert.deepEqual((await project.feedback()).map((each) => each.comments), ["The button does nothing."]);
});

test("a retry after a lost answer leaves one record", async () => {
  let tries = 0;
  const losesTheFirstAnswer: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    if (++tries === 1) throw new TypeError("The answer was lost.");
    return response;
  };

  await new FeedbackClient(
    mock.url, project.organization, project.name, project.bearer, losesTheFirstAnswer,
  ).submit(FOUND);

  assert.equal(tries, 2);
  assert.equal((await project.feedback()).length, 1);
});

test("the event window ends after exactly 30 minutes", async () => {
  await project.saveEvent(EVENT);
  await project.advance("PT30M");
  await client.submit(FOUND);

  await project.advance("PT0.000001S");

  await assert.rejects(client.submit(FOUND), TooLate);
});

test("the overwrite window ends after exactly 5 minutes", async () => {
  await client.submit(FOUND);
  await project.advance("PT5M");
  await client.submit(FOUND);

  await project.advance("PT0.000001S");

  await assert.rejects(client.submit(FOUND), TooLate);
});

test("invalid fields are named", async () => {
  await assert.rejects(client.submit({ ...FOUND, email: "nobody" }), (error) => {
    assert(error instanceof Invalid);
    assert.deepEqual(error.errors, { email: ["Enter a valid email address."] });
    return true;
  });
});
