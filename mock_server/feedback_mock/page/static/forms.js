// The user's actions on a project: move its clock, save events, submit, make requests fail, reset. Draws nothing.

import { ask, control, place } from "./api.js";
import { by, doing, make, tell } from "./dom.js";
import { written } from "./time.js";

const PRESETS = [
  ["The response is lost: connection reset after the request is handled", { phase: "after", effect: { connection: "CONNECTION_RESET_BY_PEER" } }],
  ["The request is lost: connection reset before it is handled", { effect: { connection: "CONNECTION_RESET_BY_PEER" } }],
  ["503 with Retry-After: 30", { effect: { status: 503, retry_after: 30, body: { detail: "Service unavailable." } } }],
  ["429 with Retry-After: 60 and Sentry's rate limit header", { effect: { status: 429, retry_after: 60 } }],
  ["Two seconds late", { effect: { delay: "PT2S" } }],
  ["Waits until it is released", { effect: { delay: "until_released" } }],
  ["Half of the response's JSON", { phase: "after", effect: { broken_body: "truncated" } }],
  ["Nothing at all: the connection closes", { effect: { connection: "EMPTY_RESPONSE" } }],
];
const EXAMPLE = { match: { operation: "submitUserFeedback", nth: 2 }, phase: "after", effect: { status: 500 } };

export class Forms {
  /** `path` is the endpoint's in the document; `after` is called with the number of each submitted request. */
  constructor(state, path) {
    this.state = state;
    this.path = path;
    this.clock();
    this.faults();
    this.on("save-event", () => this.saveEvent());
    this.on("submit", () => this.submit());
    this.on("add-fault", () => this.addFault());
    by("new-id").addEventListener("click", () => this.newId());
    by("reset").addEventListener("click", () => by("sure").showModal());
    by("sure-no").addEventListener("click", () => by("sure").close());
    this.click("sure-yes", () => this.reset());
    this.newId();
  }

  on(id, work) {
    by(id).addEventListener("submit", (event) => {
      event.preventDefault();
      doing(event.submitter, work);
    });
  }

  click(id, work) {
    by(id).addEventListener("click", (event) => doing(event.currentTarget, work));
  }

  do(method, rest, body) {
    return control(method, `${place(this.state.project)}${rest}`, body);
  }

  clock() {
    this.click("freeze", async () => {
      const { running } = await this.do("PUT", "/clock", { running: !this.state.clock.running });
      tell(running ? "The clock is running." : "The clock is frozen.");
    });
    this.click("minute", async () => tell(`The clock shows ${(await this.do("POST", "/clock/advance", { duration: "PT1M" })).now}.`));
    this.click("before", () => this.goTo((span) => span.lastAccepted, "the last instant that is accepted"));
    this.click("after", () => this.goTo((span) => span.lastAccepted + 1n, "the first instant that is refused"));
  }

  /** Moves the clock to the next deadline and freezes it there; otherwise it would not stay. */
  async goTo(instantOf, which) {
    const span = this.state.nextDeadline();
    if (!span) return tell("No window is open: there is no deadline ahead.", "failed");
    const { now } = await this.do("PUT", "/clock", { now: written(instantOf(span)), running: false });
    return tell(`The clock is frozen at ${now}, ${which} by ${span.rule}.`);
  }

  newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // not randomUUID, which requires HTTPS or localhost
    by("save-event").elements.event_id.value = Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
    by("submit").elements.event_id.value ||= by("save-event").elements.event_id.value;
  }

  async saveEvent() {
    const { event_id: id, saved_ago: ago, title } = by("save-event").elements;
    const event = await this.do("PUT", `/events/${encodeURIComponent(id.value)}`, { saved_ago: ago.value, title: title.value });
    by("submit").elements.event_id.value = event.event_id;
    tell(`The event ${event.event_id} was saved at ${event.saved_at}.`);
  }

  /** The form's values are sent unchanged: a wrong value is a way to see how it is refused. */
  async submit() {
    const { event_id: id, name, email, comments, authorization } = by("submit").elements;
    const { organization, project, tokens, dsn } = this.state.project;
    const headers = { "Content-Type": "application/json" };
    if (authorization.value === "dsn") headers.Authorization = `DSN ${dsn}`;
    else if (authorization.value !== "none") headers.Authorization = `Bearer ${tokens[authorization.value]}`;
    const body = JSON.stringify({ event_id: id.value, name: name.value, email: email.value, comments: comments.value });
    const path = this.path.replace("{organization_slug}", encodeURIComponent(organization)).replace("{project_slug}", encodeURIComponent(project));
    const answer = await ask(path, { method: "POST", headers, body, lost: "There was no response: the connection broke. The timeline shows why." });
    const rule = answer.headers.get("X-Feedback-Rule");
    tell(`${answer.status} ${answer.statusText}${rule ? ` by ${rule}` : ""}`, answer.ok ? "done" : "failed");
  }

  faults() {
    by("presets").replaceChildren(...PRESETS.map(([text], index) => make("option", { value: index }, text)), make("option", { value: "custom" }, "Something else …"));
    by("add-fault").elements.custom.value = JSON.stringify(EXAMPLE, null, 2);
    by("presets").addEventListener("change", () => (by("custom").hidden = by("presets").value !== "custom"));
    this.click("release", async () => tell(`Released: ${(await this.do("POST", "/faults/release")).released}.`));
    this.click("clear-faults", async () => {
      await this.do("DELETE", "/faults");
      tell("All faults are removed.");
    });
  }

  async addFault() {
    const { preset, custom, times } = by("add-fault").elements;
    const chosen = preset.value === "custom" ? parsed(custom.value) : PRESETS[preset.value][1];
    const fault = times.value ? { ...chosen, times: Number(times.value) } : chosen;
    const { faults } = await this.do("POST", "/faults", { faults: [fault] });
    tell(`Fault ${faults.at(-1).number} is waiting for its request.`);
  }

  async reset() {
    by("sure").close();
    await this.do("POST", "/reset");
    tell("The project is empty.");
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The fault is not JSON: ${error.message}`, { cause: error });
  }
}
