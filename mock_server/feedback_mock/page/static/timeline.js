// Draws a project's events, windows and requests over its clock, as SVG. Changes nothing.

import { by, draw } from "./dom.js";
import { kindOf } from "./state.js";
import { DAY, HOUR, MINUTE, SECOND, during, instant, spoken, timeOfDay, written } from "./time.js";

const MOST_LANES = 30;
const HIGHEST_PILE = 5; // the lowest place of a higher one lists the rest
const EDGE = 14; // pixels left and right of the first and the last instant
const AXIS = 38;
const LABEL = 20;
const BAR = 17;
const MARK = 22;
const STEPS = [1n, 2n, 5n, 10n, 15n, 30n, 60n, 120n, 300n, 600n, 900n, 1800n, 3600n, 7200n, 21600n, 43200n, 86400n];
const RANGES = { "10m": 10n * MINUTE, "1h": HOUR, "1d": DAY };
const SHAPES = {
  ok: "M0-6A6 6 0 1 1 0 6A6 6 0 1 1 0-6Z",
  conflict: "M0-8L8 0L0 8L-8 0Z",
  other: "M0-7L7.5 6L-7.5 6Z",
  fault: "M-6.5-6.5H6.5V6.5H-6.5Z",
  pending: "M0-6A6 6 0 1 1 0 6A6 6 0 1 1 0-6Z",
};
const SAID = { ok: "accepted", conflict: "conflict", other: "refused", fault: "fault", pending: "no response yet" };

/** A mark as it looks in the timeline, for the legend and the list. */
export function symbol(kind) {
  return draw("svg", { class: "symbol", viewBox: "-9 -9 18 18", width: 16, height: 16, "aria-hidden": "true" }, shape(kind));
}

export class Timeline {
  /** `open` is called with a request's number, `list` with a lane's event ID and the first and last instant of a pile. */
  constructor(svg, open, list) {
    this.svg = svg;
    this.open = open;
    this.list = list;
    this.marks = [];
    this.current = null;
    svg.addEventListener("keydown", (event) => this.move(event));
    svg.parentElement.addEventListener("focusin", (event) => this.hold(event.target)); // on SVG, it would add a Tab stop
    new ResizeObserver(() => this.state && this.show(this.state)).observe(svg.parentElement);
  }

  /** Draws the current state; the focused mark keeps the focus. */
  show(state) {
    this.state = state;
    const width = Math.max(this.svg.parentElement.clientWidth, 200);
    const lanes = state.lanes;
    const shown = lanes.slice(0, MOST_LANES);
    const [first, last] = this.extent(state, shown);
    const perPixel = Number(last - first) / (width - 2 * EDGE);
    this.x = (time) => EDGE + Number(time - first) / perPixel;
    this.width = width;
    this.marks = [];
    let y = AXIS;
    const drawn = shown.map((lane) => {
      const [group, height] = this.lane(lane, y, state.now());
      y += height;
      return group;
    });
    const focused = this.svg.contains(document.activeElement) ? this.current : null;
    this.svg.replaceChildren(...this.axis(first, last, y), ...this.present(state, y), ...drawn);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${y + 6}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", y + 6);
    by("lanes-left-out").textContent =
      lanes.length > MOST_LANES ? `${lanes.length - MOST_LANES} older events are not drawn.` : "";
    this.settle(focused);
  }

  extent(state, lanes) {
    const now = state.now();
    const times = [now, ...lanes.flatMap((lane) => this.times(lane))];
    let first = times.reduce((one, other) => (one < other ? one : other));
    let last = times.reduce((one, other) => (one > other ? one : other));
    const chosen = by("range").value;
    const everything = last - first;
    if (chosen !== "all" && (chosen !== "auto" || everything > 3n * HOUR)) {
      const size = RANGES[chosen] ?? HOUR;
      [first, last] = [now - (size * 3n) / 5n, now + (size * 2n) / 5n];
    }
    return last - first < MINUTE ? [first - 30n * SECOND, last + 30n * SECOND] : [first, last];
  }

  times(lane) {
    const marks = lane.entries.map((each) => instant(each._feedback.now));
    return [...marks, ...lane.spans.flatMap((each) => [each.from, each.lastAccepted])];
  }

  axis(first, last, height) {
    const most = BigInt(Math.max(2, Math.floor(this.width / 90)));
    const step = (STEPS.find((each) => (last - first) / (each * SECOND) <= most) ?? (last - first) / (most * SECOND) + 1n) * SECOND;
    const ticks = [];
    for (let time = first - (first % step) + step; time <= last; time += step) {
      const x = this.x(time);
      const text = step >= DAY ? written(time).slice(0, 10) : step >= MINUTE ? timeOfDay(time).slice(0, 5) : timeOfDay(time);
      ticks.push(draw("line", { class: "tick", x1: x, x2: x, y1: 18, y2: height }));
      ticks.push(draw("text", { class: "axis", x, y: 13, "text-anchor": x < 40 ? "start" : x > this.width - 40 ? "end" : "middle" }, text));
    }
    return ticks;
  }

  lane(lane, top, now) {
    const bars = lane.spans.map((span, row) => this.bar(span, top + LABEL + row * (BAR + 3), now));
    const marksTop = top + LABEL + Math.max(lane.spans.length, 0) * (BAR + 3);
    const [marks, piled] = this.piles(lane, marksTop);
    const height = LABEL + lane.spans.length * (BAR + 3) + piled * MARK + 10;
    const label = draw("text", { class: "lane-label", x: EDGE, y: top + 14 }, ...this.label(lane));
    const line = draw("line", { class: "lane-line", x1: 0, x2: this.width, y1: top, y2: top });
    return [draw("g", {}, line, label, ...bars, ...marks), height];
  }

  label({ eventId, event }) {
    if (eventId === null) return [draw("tspan", {}, "no event ID")];
    const narrow = this.width < 520;
    const id = draw("tspan", { class: "id" }, narrow ? `${eventId.slice(0, 12)}…` : eventId);
    const room = Math.floor((this.width - (narrow ? 130 : 300)) / 8);
    const text = event ? event.title : "an event that was not saved";
    return [id, draw("tspan", { dx: 8 }, text.length > room ? `${text.slice(0, Math.max(room - 1, 0))}…` : text)];
  }

  bar(span, y, now) {
    const [left, right] = [this.x(span.from), this.x(span.lastAccepted)];
    const [from, to] = [Math.max(left, -20), Math.min(right, this.width + 20)];
    const over = now > span.lastAccepted ? " over" : "";
    const base = this.state.windows.findIndex((each) => each.rule === span.rule) % 2;
    const about = `${span.rule} (${span.limit}): ${timeOfDay(span.from)} to ${timeOfDay(span.lastAccepted)}`;
    if (to <= from) return draw("g", {});
    return draw(
      "g",
      { class: `span base-${base}${over}` },
      draw("title", {}, about),
      draw("rect", { x: from, y, width: Math.max(to - from, 2), height: BAR, rx: 3 }),
      draw("line", { class: "start", x1: left, x2: left, y1: y - 1, y2: y + BAR + 1 }),
      this.name(`${span.rule} ${span.limit}`, from, to, y + 12.5),
    );
  }

  /** The name of a bar: inside it, or beside it if there is room, or nowhere. */
  name(text, from, to, y) {
    const size = 7.2 * text.length + 10;
    if (to - Math.max(from, 0) > size) return draw("text", { x: Math.max(from, 0) + 7, y }, text);
    if (this.width - to > size) return draw("text", { class: "beside", x: to + 6, y }, text);
    return from > size ? draw("text", { class: "beside", x: from - 6, y, "text-anchor": "end" }, text) : null;
  }

  /** The marks of a lane, stacked if they would overlap, and the height of the highest stack. */
  piles({ eventId, entries }, top) {
    const piles = new Map();
    for (const entry of [...entries].reverse()) {
      const x = this.x(instant(entry._feedback.now));
      if (x < 0 || x > this.width) continue;
      const key = Math.round(x / MARK);
      if (!piles.has(key)) piles.set(key, []);
      piles.get(key).push({ entry, x });
    }
    const middle = (row) => top + row * MARK + MARK / 2;
    const drawn = [];
    for (const pile of piles.values()) {
      const shown = pile.length > HIGHEST_PILE ? HIGHEST_PILE - 1 : pile.length;
      drawn.push(...pile.slice(0, shown).map(({ entry, x }, row) => this.mark(entry, x, middle(row))));
      if (shown < pile.length) drawn.push(this.more(eventId, pile, shown, middle(shown)));
    }
    const highest = Math.max(0, ...[...piles.values()].map((pile) => pile.length));
    return [drawn, Math.min(highest, HIGHEST_PILE)];
  }

  mark(entry, x, y) {
    const kind = kindOf(entry);
    const { number, now, rule } = entry._feedback;
    const name = `Request ${number}: ${SAID[kind]}, ${entry.response.status || "no status"}${rule ? `, ${rule}` : ""}, at ${timeOfDay(instant(now))}`;
    const target = draw("circle", { class: "target", r: MARK / 2 });
    return this.button([number], name, x, y, () => this.open(number), target, shape(kind));
  }

  /** Below a pile that is too high to draw: lists all of its requests, the drawn ones too. */
  more(eventId, pile, shown, y) {
    const left = pile.slice(shown).map(({ entry }) => entry._feedback.number);
    const times = pile.map(({ entry }) => instant(entry._feedback.now)).sort((one, other) => Number(one - other));
    const [first, last] = [times[0], times.at(-1)];
    const x = (this.x(first) + this.x(last)) / 2;
    const text = `+${left.length}`;
    const width = Math.max(MARK + 4, 7 * text.length + 8);
    const inside = Math.min(Math.max(x, width / 2 + 1), this.width - width / 2 - 1);
    const name = `${text}: list all ${pile.length} requests ${during(first, last)}`;
    const target = draw("rect", { class: "target", x: -width / 2, y: 1 - MARK / 2, width, height: MARK - 2, rx: MARK / 2 - 1 });
    return this.button(left, name, inside, y, () => this.list(eventId, first, last), target, draw("text", { y: 4 }, text));
  }

  /** One stop of the arrow keys, which stands for these requests; the latest comes first. */
  button(numbers, name, x, y, act, ...shapes) {
    const attributes = { class: numbers.length > 1 ? "mark more" : "mark", role: "button", tabindex: -1, "aria-label": name, "data-number": numbers[0] };
    const node = draw("g", { ...attributes, transform: `translate(${x} ${y})`, click: act }, draw("title", {}, name), ...shapes);
    this.marks.push({ node, numbers, act });
    return node;
  }

  present(state, height) {
    const now = state.now();
    const x = this.x(now);
    if (x < 0 || x > this.width) return [];
    const anchor = x > this.width - 60 ? "end" : "start";
    return [
      draw("line", { class: "now", x1: x, x2: x, y1: 20, y2: height }),
      draw("text", { class: "now-label", x: x + (anchor === "end" ? -4 : 4), y: 31, "text-anchor": anchor }, "now"),
    ];
  }

  /** Tab reaches one mark at a time; the arrow keys move from one to the next. */
  settle(focused) {
    this.marks.sort((one, other) => one.numbers[0] - other.numbers[0]);
    const chosen = this.marks.find(({ numbers }) => numbers.includes(focused ?? this.current)) ?? this.marks.at(-1);
    if (!chosen) return;
    chosen.node.setAttribute("tabindex", 0);
    if (focused !== null) chosen.node.focus();
  }

  /** From now on, Tab reaches this mark. */
  hold(focused) {
    for (const { node, numbers } of this.marks) {
      node.setAttribute("tabindex", node === focused ? 0 : -1);
      if (node === focused) this.current = numbers[0];
    }
  }

  move(event) {
    const at = this.marks.findIndex(({ node }) => node === event.target.closest(".mark"));
    if (at < 0) return;
    if (event.key === "Enter" || event.key === " ") this.marks[at].act();
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const places = { Home: 0, End: this.marks.length - 1 };
    const next = this.marks[places[event.key] ?? (step ? at + step : -1)];
    if (step || event.key in places || event.key === " " || event.key === "Enter") event.preventDefault();
    next?.node.focus();
  }
}

function shape(kind) {
  return draw("path", { class: `shape ${kind}`, d: SHAPES[kind] });
}

/** How far an instant is from now, in words. */
export function away(time, now) {
  return time >= now ? `in ${spoken(time - now)}` : `${spoken(now - time)} ago`;
}
