// What is known about a project, from the events of its stream. Draws nothing.

import { duration, instant } from "./time.js";

/** The windows of the document's x-mutability: `{rule, base, limit, lastAccepted}`, in microseconds after the base. */
export function windowsOf(openapi) {
  const operations = Object.values(openapi.paths).flatMap((path) => Object.values(path));
  const found = operations.find((each) => each?.["x-mutability"])["x-mutability"].windows;
  return found.map(({ rule, from, limit, at_limit: atLimit }) => ({
    rule,
    base: from,
    limit,
    lastAccepted: duration(limit) - (atLimit === "accepted" ? 0n : 1n),
  }));
}

/** The result of a request, in one word. */
export function kindOf(entry) {
  if (entry._feedback.state === "pending") return "pending";
  return entry._feedback.fault ? "fault" : outcomeOf(entry.response.status);
}

/** Whether it is of this kind: what a fault only delayed is of two. */
export function isOf(entry, kind) {
  const { status } = entry.response;
  return kindOf(entry) === kind || (status > 0 && outcomeOf(status) === kind);
}

function outcomeOf(status) {
  if (status >= 200 && status < 300) return "ok";
  return status === 409 ? "conflict" : "other";
}

export class State {
  constructor(windows) {
    this.windows = windows;
    this.forget();
  }

  forget() {
    this.changed();
    Object.assign(this, { project: null, requests: new Map(), events: [], feedback: [], faults: [] });
    this.counts = { events: 0, feedback: 0 };
    this.journal = { first: 1, last: 0, dropped: 0 };
  }

  /** Marks everything derived as out of date. */
  changed() {
    this.known = {};
    this.version = (this.version ?? 0) + 1;
  }

  /** Applies one event of the stream. */
  apply(name, data) {
    this.changed();
    if (name === "project") {
      this.forget();
      this.project = data;
      this.setClock(data.clock);
    } else if (name === "clock") this.setClock(data);
    else if (name === "request") this.requests.set(data._feedback.number, data);
    else if (name === "faults") this.faults = data.faults;
    else if (name === "journal") {
      this.journal = data;
      for (const number of this.requests.keys()) if (number < data.first) this.requests.delete(number);
    } else if (name === "events" || name === "feedback") {
      this[name] = data[name];
      this.counts[name] = data.count;
    }
  }

  setClock({ now, running }) {
    this.clock = { base: instant(now), running, read: performance.now() };
  }

  /** The instant that the project's clock shows now. */
  now() {
    const { base, running, read } = this.clock;
    return running ? base + BigInt(Math.round((performance.now() - read) * 1000)) : base;
  }

  /** The requests, the oldest first. */
  get entries() {
    return (this.known.entries ??= [...this.requests.values()].sort((one, other) => one._feedback.number - other._feedback.number));
  }

  /** All windows that have started, by event: `{rule, eventId, from, lastAccepted, limit}`. */
  get spans() {
    return (this.known.spans ??= this.allSpans());
  }

  allSpans() {
    const events = this.events.map((each) => [each.event_id, { "event.saved": each.saved_at, "event.timestamp": each.timestamp }]);
    const feedback = this.feedback.map((each) => [
      each.event_id,
      { "feedback.first_submitted": each.first_submitted_at, "feedback.last_submitted": each.last_submitted_at },
    ]);
    return this.windows.flatMap((window) =>
      [...events, ...feedback]
        .filter(([, bases]) => window.base in bases)
        .map(([eventId, bases]) => {
          const from = instant(bases[window.base]);
          return { rule: window.rule, limit: window.limit, eventId, from, lastAccepted: from + window.lastAccepted };
        }),
    );
  }

  /** The window that ends next, if there is one. */
  nextDeadline() {
    const now = this.now();
    const open = this.spans.filter((each) => each.from <= now && each.lastAccepted >= now);
    return open.reduce((first, each) => (first && first.lastAccepted <= each.lastAccepted ? first : each), null);
  }

  /** One row for each event that anything refers to, latest first, and null for requests that refer to none. */
  get lanes() {
    return (this.known.lanes ??= this.allLanes());
  }

  allLanes() {
    const lanes = new Map();
    const lane = (eventId) => {
      if (!lanes.has(eventId)) lanes.set(eventId, { eventId, event: null, feedback: null, spans: [], entries: [], latest: 0n });
      return lanes.get(eventId);
    };
    const touch = (found, time) => Object.assign(found, { latest: time > found.latest ? time : found.latest });
    for (const each of this.events) touch(lane(each.event_id), instant(each.saved_at)).event = each;
    for (const each of this.feedback) touch(lane(each.event_id), instant(each.last_submitted_at)).feedback = each;
    for (const each of this.spans) lane(each.eventId).spans.push(each);
    for (const entry of this.entries) {
      const ids = entry._feedback.event_ids.length ? entry._feedback.event_ids : [null];
      for (const id of ids) touch(lane(id), instant(entry._feedback.now)).entries.push(entry);
    }
    return [...lanes.values()].sort((one, other) => (one.latest < other.latest ? 1 : one.latest > other.latest ? -1 : 0));
  }
}
