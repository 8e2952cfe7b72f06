// The entry point: reads the document, finds the project named in the address, follows it and shows what happens.

import { Problem, control, documentNamed, follow, place, tokensFrom } from "./api.js";
import { by, copy, doing, make, tell } from "./dom.js";
import { ExchangeView, list } from "./exchange.js";
import { Forms } from "./forms.js";
import { PileView } from "./pile.js";
import { State, isOf, windowsOf } from "./state.js";
import { Timeline, away, symbol } from "./timeline.js";
import { SECOND, timeOfDay, written } from "./time.js";

const FEW = 25;
const LEGEND = { ok: "accepted", conflict: "409: a window is over", other: "any other refusal", fault: "a fault", pending: "no response yet" };

const openapi = await documentNamed("openapi");
const state = new State(windowsOf(openapi));
const rules = new Map((openapi["x-rules"] ?? []).map((each) => [each.id, each]));
const path = Object.entries(openapi.paths).find(([, item]) => item.post?.["x-mutability"])[0];
const exchange = new ExchangeView(rules, state);
const open = (number) => exchange.open(number);
const pile = new PileView(state, open);
const timeline = new Timeline(by("timeline"), open, (...where) => pile.open(...where));
let following = null;
let everyRequest = false;
let planned = false;
let shownVersion = 0;

tokensFrom(tokenOfPerson);
new Forms(state, path);
by("legend").append(...Object.entries(LEGEND).map(([kind, text]) => make("li", {}, symbol(kind), ` ${text}`)));
by("agos").append(...state.windows.map((each) => make("option", { value: each.limit })));
by("range").addEventListener("change", () => show());
by("filter").addEventListener("change", () => showRequests());
by("more-requests").addEventListener("click", () => {
  everyRequest = true;
  showRequests();
});
by("new-project").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(event.submitter, makeProject);
});
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => (document.hidden ? leave() : route()));
setInterval(() => state.project && state.clock.running && !document.hidden && show(), 1000);
await route();

async function route() {
  const [, organization, project] = location.hash.match(/^#\/([^/]+)\/([^/]+)$/) ?? [];
  if (location.hash !== "" && !location.hash.startsWith("#/")) return;
  leave();
  by("projects").hidden = Boolean(project);
  by("project").hidden = true;
  if (project) await stay({ organization: decodeURIComponent(organization), project: decodeURIComponent(project) });
  else await doing(null, showProjects);
}

function leave() {
  following?.abort();
  following = null;
  state.forget();
}

/** Follows a project until the address names another; reconnects if the connection breaks. */
async function stay(project) {
  const mine = (following = new AbortController());
  document.title = `${nameOf(project)} · Feedback mock`;
  for (let wait = 1; !mine.signal.aborted; wait = Math.min(wait * 2, 10)) {
    try {
      for await (const [name, data] of follow(project, mine.signal)) {
        if (mine.signal.aborted) return;
        if (name === "deleted") return gone(`The project ${nameOf(project)} was deleted.`);
        by("link").textContent = "Live";
        wait = 1;
        state.apply(name, data);
        plan();
      }
    } catch (problem) {
      if (mine.signal.aborted) return;
      if (problem.status === 401) return tell(problem.message, "failed");
      if (problem.status) return gone(problem.message);
    }
    by("link").textContent = "Connection lost, trying again …";
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
}

function gone(message) {
  leave();
  by("link").textContent = "";
  history.replaceState(null, "", "#/");
  route().then(() => tell(message, "failed"));
}

async function showProjects() {
  document.title = "Feedback mock";
  by("link").textContent = "";
  const { projects } = await control("GET", "projects");
  const { version, profile } = await control("GET", "health");
  by("server").textContent = `This server is version ${version} with the profile ${profile}.`;
  by("find-label").hidden = projects.length <= FEW;
  const search = () => {
    const wanted = by("find").value.trim().toLowerCase();
    const found = projects.filter((each) => nameOf(each).toLowerCase().includes(wanted)).reverse();
    by("project-rows").replaceChildren(...found.slice(0, FEW).map(projectRow));
    by("projects-left-out").textContent = found.length > FEW ? `The latest ${FEW} of ${found.length}.` : "";
  };
  by("find").oninput = search;
  search();
}

function projectRow(each) {
  return make(
    "tr",
    {},
    make("td", {}, make("a", { href: addressOf(each) }, nameOf(each))),
    make("td", {}, `${each.clock.now.slice(0, 19).replace("T", " ")} `, badge(each.clock.running)),
    ...["events", "feedback", "requests"].map((name) => make("td", { class: "number" }, each[name])),
  );
}

function nameOf({ organization, project }) {
  return `${organization}/${project}`;
}

function addressOf({ organization, project }) {
  return `#/${encodeURIComponent(organization)}/${encodeURIComponent(project)}`;
}

async function makeProject() {
  const { organization, project, clock } = by("new-project").elements;
  const named = { organization: organization.value, project: project.value };
  const { projects } = await control("GET", "projects");
  const there = projects.some((each) => nameOf(each) === nameOf(named));
  if (!there) await control("PUT", place(named), { clock: { running: clock.value === "running" } });
  location.hash = addressOf(named);
  tell(`The project ${nameOf(named)} ${there ? "already existed" : "was created"}.`);
}

/** The control token, from the user. */
function tokenOfPerson(wrong) {
  const why = "Other machines can reach this server, so it requires the control token that it printed at startup.";
  by("token-why").textContent = wrong ? `The token that this page has is wrong. ${why}` : why;
  by("token").showModal();
  return new Promise((resolve, reject) => {
    const cancelled = new Problem("Without its control token, the server shows nothing; reload this page to enter it.", 401);
    by("token").addEventListener("cancel", () => reject(cancelled), { once: true });
    by("token-form").onsubmit = (event) => {
      event.preventDefault();
      const given = by("token-form").elements.token.value;
      by("token-form").reset();
      by("token").close();
      resolve(given);
    };
  });
}

/** Many events may arrive at once; they are shown together. */
function plan() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    if (state.project) show();
  });
}

function show() {
  by("project").hidden = false;
  by("project-title").textContent = nameOf(state.project);
  showClock();
  const empty = !state.lanes.length;
  by("timeline-empty").hidden = !empty;
  by("timeline-frame").hidden = by("timeline-words").hidden = empty;
  if (!empty) timeline.show(state);
  if (shownVersion === state.version) return; // only a second passed
  shownVersion = state.version;
  showRequests();
  showRest();
  pile.refresh();
  exchange.refresh();
}

function showClock() {
  const now = state.now();
  by("now").textContent = written(now).replace("T", " ").replace("Z", " UTC");
  by("now").setAttribute("datetime", written(now));
  by("running").replaceWith(badge(state.clock.running, "running"));
  by("freeze").textContent = state.clock.running ? "Freeze" : "Run";
  const next = state.nextDeadline();
  by("deadline").textContent = next
    ? `Next deadline: ${next.rule} of ${next.eventId.slice(0, 8)}… accepts until ${timeOfDay(next.lastAccepted)}, ${next.lastAccepted === now ? "which is now" : away(next.lastAccepted, state.clock.running ? upToSecond(next.lastAccepted, now) : now)}.`
    : "No window is open.";
  by("before").disabled = !next || next.lastAccepted === now;
  by("after").disabled = !next;
}

/** A later instant, whole seconds before `time`: nobody can read more of a running clock. */
function upToSecond(time, now) {
  return now + ((time - now) % SECOND);
}

function badge(running, id = null) {
  return make("span", { id, class: `badge ${running ? "runs" : "stands"}` }, running ? "running" : "frozen");
}

function showRequests() {
  const wanted = by("filter").value;
  const entries = state.entries.filter((each) => !wanted || isOf(each, wanted)).reverse();
  const shown = everyRequest ? entries : entries.slice(0, FEW);
  const { dropped } = state.journal;
  const sent = state.entries.length + dropped;
  const told = [`${entries.length} of ${sent} shown` + (shown.length < entries.length ? `, the latest ${shown.length} here` : "")];
  if (dropped) told.push(`the oldest ${dropped} were dropped`);
  by("requests-count").textContent = sent ? `${told.join("; ")}.` : "There are none yet.";
  by("requests").hidden = !shown.length;
  by("more-requests").hidden = shown.length === entries.length;
  list(by("request-rows"), shown, open);
}

function showRest() {
  by("ids").replaceChildren(...state.lanes.slice(0, 50).filter((each) => each.eventId).map((each) => make("option", { value: each.eventId })));
  by("faults").replaceChildren(
    ...state.faults.map((each) => {
      const { number, effect, phase, applied, matched, times } = each;
      return make("li", {}, make("code", {}, `${number}: ${JSON.stringify(effect)} ${phase ?? "before"}`), ` matched ${matched}, applied ${applied}${times ? ` of ${times}` : ""}`);
    }),
  );
  const { dsn, tokens } = state.project;
  const known = { DSN: dsn, ...Object.fromEntries(Object.entries(tokens).map(([kind, token]) => [`Token: ${kind}`, token])) };
  if (by("credentials").dataset.dsn === dsn) return;
  by("credentials").dataset.dsn = dsn;
  by("credentials").replaceChildren(
    ...Object.entries(known).map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, make("code", {}, value), " ", make("button", { type: "button", class: "second small", "aria-label": `Copy ${name}`, click: () => copy(value, name) }, "Copy"))),
    ),
  );
}
