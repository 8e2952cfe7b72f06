"""A project with hundreds of feedback: full and filtered lists, followed to the end and back, and early feedback again.

It is the only scenario that reveals servers that keep only the last hundred, number in a byte or page incorrectly. On a
project to which others write at the same time, only the order of our own feedback is checked.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from feedback_spec.document import Document

from feedback_verify.exchange import Exchange
from feedback_verify.oracle import Expected, Mismatch
from feedback_verify.replaying import Kind
from feedback_verify.scenario import CHANGED, TRIES, VALUES, Place, Scenario, Violated, answer, entries, loses_always
from feedback_verify.targets import NotReachable, Target, Trouble
from feedback_verify.verdicts import Finding

SIZES = {"quick": 40, "default": 220, "full": 2_000}
ON_LIVE_PROJECTS = 13
NEEDS = frozenset({"token", "event"})
ENVIRONMENTS = (None, "production", "production-eu")
MOST_PAGES = 60
PAGES = ("previous", "next")
ASKED_AGAIN = 3
# A list of links: RFC 8288, section 3. Parameters come in any order, and their values need no quotes.
_PARAMETER = re.compile(r'\s*;\s*([\w!#$%&\'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"<>]+)))?')
_LINK = re.compile(rf"\s*<([^<>\"\s]+)>((?:{re.sub('[(](?![?])', '(?:', _PARAMETER.pattern)})*)\s*(?:,|$)")


class Wrong(Exception):
    """What is wrong, and the rule that it breaks; the kind of mismatch, if it is one, or which responses show it."""

    def __init__(
        self, rule: str, message: str, kind: Kind | None = None, fault: Callable[[Exchange], bool] | None = None
    ) -> None:
        super().__init__(message)
        self.rule, self.kind, self.fault = rule, kind, fault


@dataclass(frozen=True)
class Page:
    """One page of a list: our own event ids on it, and the addresses of the pages before and after it."""

    own: tuple[str, ...]
    size: int
    links: Mapping[str, tuple[bool, str]]


def run(
    target: Target, document: Document, random: Random, depth: str, finished: Callable[[Scenario], None]
) -> list[Finding]:
    """What a crowded project shows, by rule; nothing if the target cannot save events."""
    if not target.capabilities >= NEEDS:
        return []
    quick = target.sandboxes and not target.settling.lags  # otherwise, every event and every list must be waited for
    size = SIZES[depth] if quick else min(SIZES[depth], ON_LIVE_PROJECTS)
    lost: list[Place] = []
    for _ in range(TRIES):
        with Scenario(target, document, random) as scenario:
            crowded = Crowded(scenario, size)
            try:
                crowded.run()
            except Trouble as trouble:
                return [*crowded.findings(), Finding("list", remark=f"a crowded project was abandoned: {trouble}")]
            except NotReachable as error:
                if loses_always(lost, scenario.place):
                    steps = tuple(scenario.steps)
                    return [*crowded.findings(), Finding("no-server-error", violation=error.what, steps=steps)]
                lost.append(scenario.place)
                continue
            finally:
                finished(scenario)
            return crowded.findings()
    return [*crowded.findings(), Finding("list", remark="a crowded project was abandoned: connections were lost")]


@dataclass
class Crowded:
    """One scenario with this many submissions; `held` counts correct observations by rule."""

    scenario: Scenario
    size: int
    held: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, Finding] = field(default_factory=dict)

    def run(self) -> None:
        """The whole story; an error in one part does not keep the others from being reported."""
        capabilities = self.scenario.target.capabilities
        self.oracle, self.project = self.scenario.oracle, self.scenario.project
        self.moves = self.scenario.target.clock == "exact" and "clock" in capabilities
        self.details = "event-details" in capabilities
        parameters = {each.name: each for each in self.scenario.document.listing.parameters}
        self.largest = int(parameters["per_page"].schema["maximum"])
        self.ids = [self.scenario.new_event_id() for _ in range(self.size)]
        for part in (self._fill, self._lists, self._pages, self._early_again, self._too_late):
            if any(not rule.startswith("list") for rule in self.wrong):
                return  # what follows would only repeat it
            try:
                part()
            except (Wrong, Violated) as wrong:
                told = wrong if isinstance(wrong, Wrong) else Wrong("list", str(wrong))
                steps, rule = tuple(self.scenario.steps), told.rule
                found = Finding(rule, 1, str(wrong), steps=steps, kind=told.kind, fault=told.fault)
                self.wrong.setdefault(rule, found)

    def findings(self) -> list[Finding]:
        """One for each rule that was checked."""
        rules = self.scenario.document.verifiable
        found = list(self.wrong.values())
        found += [Finding(rule, count) for rule, count in self.held.items() if rule not in self.wrong]
        return [each for each in found if each.rule in rules]

    def _hold(self, rule: str) -> None:
        self.held[rule] = self.held.get(rule, 0) + 1

    # --- filling it

    def _fill(self) -> None:
        """Events of all kinds, one after the other; every seventh event is unknown, every fifth is overwritten."""
        for number, event_id in enumerate(self.ids):
            if number % 7 != 6:
                self.scenario.save_event(event_id, **self._facts(number))
            self._submit(event_id, VALUES)
            if number % 5 == 4:
                self._submit(self.ids[number // 2], {**VALUES, "comments": f"Overwritten after {number}."})
            if self.moves:
                self.scenario.advance(max(self.scenario.limit("feedback") // (2 * self.size), 1))
        self._look()

    def _facts(self, number: int) -> dict[str, Any]:
        if not self.details:
            return {}
        environment = ENVIRONMENTS[number % len(ENVIRONMENTS)]
        facts = {} if environment is None else {"environment": environment}
        return facts | ({"issue_status": "resolved"} if number % 4 == 3 else {})

    def _submit(self, event_id: str, values: Mapping[str, str]) -> Expected:
        sent = {"event_id": event_id, **values}
        reply = self.scenario.submit(sent)
        by = self.scenario.default_credentials
        expected, problems = self.scenario.judge(self.project, sent, by, reply)
        self._check(problems, f"with {len(self.oracle.sandbox(self.project).submitted())} feedback in the project")
        self._hold(expected.rule)
        return expected

    def _look(self) -> None:
        if "records" in self.scenario.target.capabilities:
            problems = self.oracle.record_problems(self.project, self.scenario.records())
            self._check(problems, f"with {self.size} feedback in the project")
            self._hold("overwrite-one-record")

    def _check(self, problems: list[Mismatch], where: str) -> None:
        if problems:
            raise Wrong(problems[0].rule, f"{problems[0].message} ({where})", problems[0].kind)

    # --- lists

    def _lists(self) -> None:
        """The first page of each filter on its own, with whole objects."""
        for rule, query, expected in self._filters():
            self._list(rule, query, expected)
            self._hold(rule)

    def _list(self, rule: str, query: Mapping[str, str], expected: list[str]) -> None:
        reply = self._get(query, rule)
        wanted, own = expected[: self.largest], reply.json
        if not self.scenario.target.sandboxes:  # other people's feedback may be in between
            own = [each for each in entries(reply) if each["eventID"] in self.scenario.made_ids]
            listed = {each["eventID"] for each in own}
            wanted = [each for each in expected if each in listed]
        problems = self.oracle.list_problems(self.project, own, wanted)
        if problems:
            told = problems[0].rule if problems[0].rule != "list" else rule
            raise Wrong(told, f"GET ?{urlencode(query)}: {problems[0].message[:300]}", problems[0].kind)

    def _filters(self) -> list[tuple[str, dict[str, str], list[str]]]:
        listed = self.oracle.listed
        filters: list[tuple[str, dict[str, str], list[str]]] = [("list", {}, listed(self.project))]
        if self.details:
            every = listed(self.project, status="")
            filters.append(("list-status", {"status": ""}, every))
            for environment in ("production", "production-eu", "", "prod"):
                expected = listed(self.project, environment=environment)
                filters.append(("list-environment", {"environment": environment}, expected))
        return filters

    def _get(self, query: Mapping[str, str], rule: str) -> Exchange:
        reply = self.scenario.listing(urlencode(query))
        if reply.status != (wanted := self.scenario.document.listing.success):
            raise Wrong(rule, f"GET ?{urlencode(query)}: expected {wanted}, got {answer(reply)}")
        return reply

    # --- pages

    def _pages(self) -> None:
        """Filters combined with page sizes, each followed to its end and back."""
        if any(rule.startswith("list") for rule in self.wrong):
            return  # an error of a filter alone would show on its pages, too
        statuses = ({}, {"status": ""}) if self.details else ({},)
        environments = ({}, {"environment": "production"}, {"environment": ""}) if self.details else ({},)
        for number, (status, environment) in enumerate(product(statuses, environments)):
            expected = self.oracle.listed(
                self.project, status=status.get("status", "unresolved"), environment=environment.get("environment")
            )
            for size in {2 + number, self.largest, *self._dividing(len(expected))}:
                self._walk({**status, **environment, "per_page": str(size)}, expected)
        self._walk({"per_page": "1", **statuses[-1], **environments[-1]}, [])

    def _dividing(self, count: int) -> set[int]:
        """A page size that leaves the last page full, and one that holds everything if possible."""
        sizes = range(min(self.largest, count), 0, -1)
        return {next((each for each in sizes if count % each == 0), 1), max(min(self.largest, count), 1)}

    def _walk(self, query: dict[str, str], expected: list[str]) -> None:
        """Forward to the end, each entry once and in order; then back over the same pages."""
        for _ in range(ASKED_AGAIN):
            pages = self._forward(query)
            seen = list(dict.fromkeys(each for page in pages for each in page.own))
            wanted = expected if expected else seen
            if len(pages) >= MOST_PAGES:
                wanted = wanted[: len(seen)]
            if seen == wanted or self.scenario.target.sandboxes:
                break  # if others write at the same time, pages shift meanwhile
        told = f"GET ?{urlencode(query)}"
        if seen != wanted:
            raise Wrong(
                "list-pages", f"{told}: the pages list {len(seen)} of {len(wanted)}: {_difference(seen, wanted)}"
            )
        if self.scenario.target.sandboxes:
            twice = [each for page in pages for each in page.own]
            if len(twice) != len(seen):
                raise Wrong("list-pages", f"{told}: {len(twice) - len(seen)} feedback are on more than one page")
            self._back(query, pages)
        self._hold("list-pages")

    def _forward(self, query: dict[str, str]) -> list[Page]:
        pages = [self._page(query)]
        if pages[0].links["previous"][0]:
            raise Wrong("list-pages", f"GET ?{urlencode(query)}: the first page says that there is a page before it")
        while pages[-1].links["next"][0] and len(pages) < MOST_PAGES:
            pages.append(self._page({**query, "cursor": pages[-1].links["next"][1]}))
            if not pages[-1].size and self.scenario.target.sandboxes:
                raise Wrong("list-pages", f'GET ?{urlencode(query)}: a page that results="true" promised is empty')
        return pages

    def _back(self, query: dict[str, str], pages: list[Page]) -> None:
        current = pages[-1]
        for before in reversed(pages[:-1]):
            there, cursor = current.links["previous"]
            if not there:
                raise Wrong("list-pages", f"GET ?{urlencode(query)}: a later page says that there is no page before it")
            current = self._page({**query, "cursor": cursor})
            if current.own != before.own:
                told = _difference(list(current.own), list(before.own))
                raise Wrong(
                    "list-pages", f"GET ?{urlencode(query)}: on the way back, a page has different contents: {told}"
                )

    def _page(self, query: Mapping[str, str]) -> Page:
        reply, told = self._get(query, "list-pages"), f"GET ?{urlencode(query)}"
        sent = reply.headers.get("link", "")
        if (wrong := _wrong_with(sent)) is not None:
            fault: Callable[[Exchange], bool] = lambda each: _wrong_with(each.headers.get("link", "")) is not None  # noqa: E731 (shorter than a function)
            raise Wrong("list-pages", f"{told}: Link {wrong}: {sent!r}", fault=fault)
        pages = {each["rel"]: each for each in _links(sent) if each["rel"] in PAGES}
        links = {name: (each["results"] == "true", each.get("cursor", "")) for name, each in pages.items()}
        for name, (_, cursor) in links.items():
            address = pages[name]["url"]
            if parameter := _forgotten(address, {**query, "cursor": cursor}):
                raise Wrong("list-pages", f"{told}: the address of the {name} page has a wrong {parameter}: {address}")
        ids = [each["eventID"] for each in entries(reply)]
        if len(ids) > int(query["per_page"]):
            raise Wrong("list-pages", f"{told}: a page contains {len(ids)}")
        return Page(tuple(each for each in ids if each in self.scenario.made_ids), len(ids), links)

    # --- early feedback again

    def _early_again(self) -> None:
        """Overwritten: the same record, no matter how many came after it."""
        for event_id in self.ids[:3]:
            self._submit(event_id, CHANGED)
        self._look()
        if not any(rule.startswith("list") for rule in self.wrong):
            self._list("list", {"status": ""}, self.oracle.listed(self.project, status=""))

    def _too_late(self) -> None:
        """Refused once a window is over, that of the feedback or of the event, and nothing changes."""
        if not self.moves:
            return
        self.scenario.advance(self.scenario.limit("feedback") + 1)
        for event_id in (*self.ids[:3], self.ids[-1]):
            self._submit(event_id, {**CHANGED, "name": "Too Late"})
        if limit := self.scenario.limit("event"):
            for saved_ago in (limit, limit + 1):
                event_id = self.scenario.new_event_id()
                self.scenario.save_event(event_id, saved_ago=saved_ago)
                self._submit(event_id, VALUES)
        self._look()


def _wrong_with(header: str) -> str | None:
    """What is wrong with a Link as such."""
    if _LINK.sub("", header).strip():
        return "is not a list of links separated by commas"
    results = {each["rel"]: each.get("results") for each in _links(header)}
    named = all(results.get(name) in ("true", "false") for name in PAGES)
    return None if named else "does not name both pages, with their results"


def _links(header: str) -> Iterator[dict[str, str]]:
    """The `url`, `rel` and other parameters of each link; of two of the same name, the first counts."""
    for url, parameters in _LINK.findall(header):
        pairs = [
            (name.lower(), re.sub(r"\\(.)", r"\1", quoted) or bare)
            for name, quoted, bare in _PARAMETER.findall(parameters)
        ]
        yield {"rel": "", **dict(reversed(pairs)), "url": url}


def _forgotten(address: str, query: Mapping[str, str]) -> str | None:
    """The parameter that an address with a cursor has wrong; some servers leave the cursor to the link's attributes."""
    given = parse_qs(urlsplit(address).query, keep_blank_values=True)
    wrong = (name for name in query if name != "per_page" and given.get(name) != [query[name]])
    return next(wrong, None) if "cursor" in given else None


def _difference(seen: list[str], wanted: list[str]) -> str:
    """What is missing or superfluous, or else that the order differs."""
    missing, more = [each for each in wanted if each not in seen], [each for each in seen if each not in wanted]
    if missing:
        return f"{missing[0]} is missing"
    return f"{more[0]} should not be there" if more else "the order is different"
