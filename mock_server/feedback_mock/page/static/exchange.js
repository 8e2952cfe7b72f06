// Shows one exchange of the journal: what decided it, the request and the response. All of it as text.

import { curl } from "./curl.js";
import { by, copy, make, openOver } from "./dom.js";
import { kindOf } from "./state.js";
import { symbol } from "./timeline.js";
import { instant, timeOfDay } from "./time.js";

export class ExchangeView {
  constructor(rules, state) {
    this.rules = rules;
    this.state = state;
    this.dialog = by("exchange");
    by("exchange-close").addEventListener("click", () => this.dialog.close());
    by("exchange-earlier").addEventListener("click", () => this.step(-1));
    by("exchange-later").addEventListener("click", () => this.step(1));
  }

  /** Opens the request with this number, if it is still kept. */
  open(number) {
    const entry = this.state.requests.get(number);
    if (!entry) return;
    this.number = number;
    this.show(entry);
    if (!this.dialog.open) openOver(this.dialog);
    by("exchange-title").focus();
  }

  /** Shows it again, because its response may have arrived. */
  refresh() {
    const entry = this.dialog.open && this.state.requests.get(this.number);
    if (entry && entry !== this.entry) this.show(entry);
  }

  step(by_) {
    const numbers = [...this.state.requests.keys()].sort((one, other) => one - other);
    const next = numbers[numbers.indexOf(this.number) + by_];
    if (next !== undefined) this.open(next);
  }

  show(entry) {
    this.entry = entry;
    const { number, state } = entry._feedback;
    const status = entry.response.status ? `${entry.response.status} ${entry.response.statusText}` : state === "pending" ? "no response yet" : "no response";
    by("exchange-title").replaceChildren(symbol(kindOf(entry)), ` Request ${number}: ${status}`);
    by("exchange-body").replaceChildren(
      ...this.decision(entry),
      ...this.validity(entry),
      ...this.request(entry),
      ...this.answer(entry),
    );
    by("exchange-earlier").disabled = !this.state.requests.has(number - 1);
    by("exchange-later").disabled = !this.state.requests.has(number + 1);
  }

  decision({ _feedback: { rule, reason, fault, now, operation } }) {
    const found = this.rules.get(rule);
    return [
      make("h3", {}, "Decided by"),
      facts([
        ["Rule", rule ? make("code", {}, rule) : "none in the document"],
        ["Says", found?.rule ?? null],
        ["Arithmetic", reason],
        ["Fault", fault && make("code", {}, JSON.stringify(fault))],
        ["Instant", `${now} on the project's clock`],
        ["Operation", operation ?? "none: there is no such path or method"],
      ]),
    ];
  }

  validity({ _feedback: { request, answer } }) {
    const problems = [["Request", request], ["Response", answer]].filter(([, each]) => each?.valid === false);
    if (!problems.length) return [];
    const items = problems.flatMap(([whose, { problems: found }]) =>
      found.map(({ pointer, detail }) => make("li", {}, `${whose} `, make("code", {}, pointer), ` ${detail}`)),
    );
    return [make("h3", {}, "Invalid under the document"), make("ul", {}, ...items)];
  }

  request(entry) {
    const { method, url, headers, postData } = entry.request;
    const line = curl(entry, this.state.project);
    return [
      make("h3", {}, "Request"),
      make("p", { class: "line" }, make("code", {}, `${method} ${url}`)),
      headerList(headers),
      ...content(postData?.text, postData?._encoding, postData?.comment),
      make("button", { type: "button", id: "copy-curl", click: () => copy(line, "curl") }, "Copy as curl"),
      make("details", {}, make("summary", {}, "The command"), make("pre", { tabindex: 0 }, line)),
    ];
  }

  answer({ response, time, _feedback: { state } }) {
    if (!response.status) {
      return [make("h3", {}, "Response"), make("p", {}, state === "pending" ? "There is none yet." : "There was none.")];
    }
    return [
      make("h3", {}, "Response"),
      make("p", { class: "line" }, make("code", {}, `${response.status} ${response.statusText}`), ` after ${time} ms`),
      headerList(response.headers),
      ...content(response.content.text, response.content.encoding, response.content.comment),
    ];
  }
}

/** Lists these requests in the body of a table; the focused row keeps the focus. */
export function list(body, entries, open) {
  const focused = document.activeElement?.closest("tbody") === body ? document.activeElement.textContent : null;
  body.replaceChildren(...entries.map((each) => row(each, open)));
  if (focused) [...body.querySelectorAll("button")].find((each) => each.textContent === focused)?.focus();
}

function row(entry, open) {
  const { number, now, rule } = entry._feedback;
  return make(
    "tr",
    { click: () => open(number) },
    make("td", {}, make("button", { type: "button", class: "plain", "aria-label": `Open request ${number}`, "data-number": number }, number)),
    make("td", { class: "time" }, timeOfDay(instant(now))),
    make("td", {}, entry.request.method),
    make("td", { class: "status" }, symbol(kindOf(entry)), ` ${entry.response.status || "–"}`),
    make("td", { class: "rule" }, make("code", {}, rule ?? "–")),
    make("td", { class: "reason" }, reasonOf(entry)),
  );
}

/** Why the rule decided this way, and what a fault did besides. */
function reasonOf({ _feedback: { rule, reason, fault } }) {
  const beside = fault && rule !== "fault" ? `a fault: ${Object.keys(fault.effect).join(", ")}` : null;
  return [reason, beside].filter(Boolean).join("; ");
}

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", {}, ...shown.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function headerList(headers) {
  const rows = headers.map(({ name, value }) => make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  return make("dl", { class: "headers" }, ...rows);
}

function content(text, encoding, comment) {
  if (!text) return [make("p", { class: "quiet" }, "No body.")];
  const notes = [comment, encoding && "not text; shown as base64"].filter(Boolean).join("; ");
  return [make("pre", { tabindex: 0 }, encoding ? text : pretty(text)), ...(notes ? [make("p", { class: "quiet" }, notes)] : [])];
}

/** JSON with line breaks, unless that would change anything but white space. */
function pretty(text) {
  try {
    const shown = JSON.stringify(JSON.parse(text), null, 2);
    return shown.replace(/\s/g, "") === text.replace(/\s/g, "") ? shown : text;
  } catch {
    return text;
  }
}
