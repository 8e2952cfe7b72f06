// Each operation against a running mock, and what the mock says when it refuses.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import { Control, ControlError, ControlProject, FeedbackMock, Sandbox } from "feedback-mock-client";

const EVENT = "7167980ca1db42cdba8d5284e7f81c66";
const START = "2026-01-01T00:00:00.000000Z";
const called = new Set<string>();

let mock: FeedbackMock;
let sandbox: Sandbox;

function operationsOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => !["constructor", "project"].includes(name));
}

before(async () => {
  for (const prototype of [Control.prototype, ControlProject.prototype] as any[]) {
    for (const name of operationsOf(prototype)) {
      const method = prototype[name];
      prototype[name] = function (...given: unknown[]) {
        called.add(name);
        return method.apply(this, given);
      };
    }
  }
  mock = await FeedbackMock.start();
});
after(() => mock?.stop());
beforeEach(async () => {
  sandbox = await Sandbox.in(mock, { clock: { now: START, running: false } });
});
afterEach(() => sandbox?.deleteProject());

async function submit(comments: string): Promise<number> {
  const response = await fetch(sandbox.feedbackUrl, {
    method: "POST",
    headers: { Authorization: `Bearer ${sandbox.tokens.write}`, "Content-Type": "application/json" },
    body: JSON.stringify({ event_id: EVENT, name: "Jane", email: "jane@example.com", comments }),
  });
  return response.status;
}

test("the server says what it is and has", async () => {
  const { operations } = await mock.index();

  assert.equal((await mock.health()).status, "ok");
  assert(operations.some((each) => each.path === "/_control/health"));
  assert.match(await mock.metrics(), /^# HELP feedback_mock_requests_total/m);
  assert((await mock.listProjects()).projects.some((each) => each.project === sandbox.project));
});

test("a project is made, read, emptied and deleted", async () => {
  const other = mock.project("acme", "web");
  const made = await other.putProject({ clock: { now: START, running: false } });

  assert.deepEqual(await other.getProject(), made);
  assert.deepEqual(await other.resetProject(), made);
  await other.deleteProject();
  await assert.rejects(other.getProject(), { status: 404, detail: /There is no project acme\/web/ });
});

test("an event is saved, read and deleted", async () => {
  const saved = await sandbox.putEvent(EVENT, { saved_ago: "PT29M", title: "TypeError" });

  assert.deepEqual(await sandbox.getEvent(EVENT), saved);
  assert.equal(saved.saved_at, "2025-12-31T23:31:00.000000Z");
  await sandbox.deleteEvent(EVENT);
  await assert.rejects(sandbox.getEvent(EVENT), { status: 404 });
});

test("the clock is moved, shared and slept on", async () => {
  await sandbox.putClock({ now: "2026-01-01T00:01:00Z" });
  const moved = await sandbox.advanceClock({ duration: "PT0.000001S" });
  const joined = await sandbox.joinClock("client", { lease: "PT1M" });
  const woken = await sandbox.sleep({ duration: "PT30M", participant: "client" });
  await sandbox.leaveClock("client");

  assert.equal(moved.now, "2026-01-01T00:01:00.000001Z");
  assert.deepEqual(joined.held_by, ["client"]);
  assert.equal(woken.now, "2026-01-01T00:31:00.000001Z");
  assert.deepEqual((await sandbox.getClock()).participants, []);
});

test("requests fail as told, and stand in the journal", async () => {
  await sandbox.fail({ effect: { status: 503 }, times: 1 });
  const statuses = [await submit("It broke!"), await submit("It broke!")];

  assert.deepEqual(statuses, [503, 200]);
  assert.equal((await sandbox.listFaults()).faults[0]?.applied, 1);
  assert.deepEqual((await sandbox.requests({ status: 503 })).map((each) => each._feedback.number), [1]);
  assert.equal((await sandbox.exportRequests()).log.entries.length, 2);
  assert.equal((await sandbox.verifyRequests({ match: { status: 409 }, exactly: 0 })).verdict, "yes");
  await sandbox.clearFaults();
  assert.equal((await sandbox.releaseFaults()).released, 0);
  await sandbox.clearRequests();
  assert.deepEqual((await sandbox.listRequests()).entries, []);
});

test("a snapshot makes the same project elsewhere", async () => {
  await submit("It broke!");
  const other = mock.project("acme", "copy");
  await other.putSnapshot(await sandbox.getSnapshot());

  assert.deepEqual((await other.listFeedback()).map((each) => each.comments), ["It broke!"]);
  await other.deleteProject();
});

test("a refusal says what would be right", async () => {
  await assert.rejects(sandbox.advanceClock({ duration: "5 minutes" }), (error) => {
    assert(error instanceof ControlError);
    assert.equal(error.status, 400);
    assert.match(error.message, /clock\/advance: 400 duration: "5 minutes" is not an ISO 8601 duration/);
    return true;
  });
});

test("a token is sent, and shown to nobody who prints the client; stopping twice is not an error", async () => {
  const guarded = await FeedbackMock.start({ options: ["--control-token", "only-for-this-test"] });
  const sandbox = await Sandbox.in(guarded);
  await guarded.stop();
  await guarded.stop();

  await assert.rejects(guarded.health());
  assert.doesNotMatch(inspect([guarded, sandbox], { depth: 9, showHidden: true }), /only-for-this-test/);
});

test("a mock that nobody stops does not keep Node running", async () => {
  const script = 'import { FeedbackMock } from "feedback-mock-client"; await FeedbackMock.start();';
  const forgetful = spawn(process.execPath, ["--input-type=module", "-e", script], { timeout: 60_000 });

  assert.deepEqual(await once(forgetful, "exit"), [0, null]);
});

test("what is in a path stays in its part, and an answer without detail is told as it is", async () => {
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    response.writeHead(502).end("Bad gateway");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const control = new Control(`http://127.0.0.1:${(server.address() as AddressInfo).port}/below/`);

  await assert.rejects(control.project("a/b", "c?d").getEvent("#"), { status: 502, detail: "Bad gateway" });

  assert.deepEqual(paths, ["/below/_control/projects/a%2Fb/c%3Fd/events/%23"]);
  server.closeAllConnections();
  server.close();
});

test("all operations were called", () => {
  const all = [...operationsOf(Control.prototype), ...operationsOf(ControlProject.prototype)];

  assert.deepEqual(all.filter((name) => !called.has(name)), []);
});
