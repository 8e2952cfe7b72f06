"""Runs a client through every situation, concurrently, and produces a verdict on each rule for clients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from feedback_spec.document import Document
from feedback_spec.instants import SECOND, in_words

from feedback_verify.clients.commands import CannotPlay
from feedback_verify.clients.episode import Episode
from feedback_verify.clients.judges import findings
from feedback_verify.clients.judges.case import AT_ONCE, Case
from feedback_verify.clients.judges.sent import takes_values
from feedback_verify.clients.situations import PLAIN, Situation, situations
from feedback_verify.clients.stage import Stage
from feedback_verify.steps import Send
from feedback_verify.verdicts import Finding, Result, Verdict, judge

NO_TIME = "the client has no clock that a situation can move; use --faketime to give it one"
NO_VALUES = "the client submits its own texts: it does not read FEEDBACK_NAME, FEEDBACK_EMAIL and FEEDBACK_COMMENTS"
NO_EVENT = "the client submits for its own events: it does not read FEEDBACK_EVENT_ID"
NOT_PLAYED = "the situations that were asked for do not show it"
NOT_SEEN = "nothing that the client did could have broken it"
NOT_RECORDED = "the recording does not show it"
REPLAYS = 3  # at most, of a situation that shows a violation
FEW = 3  # situations that are played again one at a time, so that each client has the machine to itself
BUSY = SECOND  # that a client, or who looks at it, has to wait: clients have time limits of a second or two
TOO_BUSY = f"but each time the machine was so busy that the client may have waited for {in_words(BUSY)} or more"
BY_TIME = ("answers", "retries", "told")  # the groups of rules that a client breaks if responses come too late for it


@dataclass
class ClientRun:
    """The verdicts on one client, as far as it was run; `stopped` if that is incomplete."""

    document: Document
    situations: Mapping[str, Situation]
    require: Callable[[str, Verdict], bool] = lambda *_: True
    stopped: bool = False
    episodes: list[Episode] = field(default_factory=list)
    _found: dict[str, list[Finding]] = field(default_factory=dict)  # by situation
    _plain: Episode | None = None

    def play(self, stage: Stage, progress: Callable[[int, int, str], None]) -> None:
        """Runs everything, and a second time what shows a violation.

        Raises CannotPlay if the client submits nothing although everything works.
        """
        total = len(self.situations)
        progress(0, total, PLAIN)
        plain = self._plain = stage.play(self.situations[PLAIN])
        if not plain.attempts:
            raise CannotPlay(_why_nothing(stage, plain))
        self._take(plain, self.situations[PLAIN])
        others = [each for each in self.situations.values() if each.name != PLAIN]
        if not plain.records:
            others = []  # what fails under normal conditions shows nothing under others
        for done, (situation, episode) in enumerate(stage.play_all(others), 2):
            self._take(episode, situation)
            progress(done, total, situation.name)
        self._play_again(stage, progress)

    def read(self, recorded: Episode) -> None:
        """Judges a recording."""
        self._take(recorded, None)

    def _play_again(self, stage: Stage, progress: Callable[[int, int, str], None]) -> None:
        again = [self.situations[name] for name in self._found if self._is_violated(self.situations[name])]
        for _ in range(REPLAYS):
            total, open_ = len(again), []
            together = total > FEW
            for done, (situation, episode) in enumerate(stage.play_all(again, together=together), 1):
                progress(done, total, situation.name)
                waited = episode.lag if together else max(episode.lag, episode.waited)
                if not self._settle(episode, situation) or (waited > BUSY and self._is_violated(situation)):
                    open_.append(situation)
            again = open_
        for situation in again:
            self._doubt(situation, TOO_BUSY, self._is_by_time)

    def _take(self, episode: Episode, situation: Situation | None) -> None:
        self._found[episode.situation] = self._judged(episode, situation)

    def _settle(self, episode: Episode, situation: Situation) -> bool:
        """Doubts what is not violated again: on a busy machine, a client may time out before it reads a response.

        Returns whether this play shows anything: before the first request, no situation makes a difference.
        """
        if not episode.attempts:
            return False
        violated = {each.rule for each in self._judged(episode, situation) if each.violation}
        self._doubt(situation, "but not when it was played again", lambda rule: rule not in violated)
        return True

    def _is_violated(self, situation: Situation) -> bool:
        return any(each.violation for each in self._found[situation.name])

    def _doubt(self, situation: Situation, why: str, applies: Callable[[str], bool]) -> None:
        self._found[situation.name] = [
            replace(each, violation=None, doubt=f"{each.violation}, {why}")
            if each.violation and applies(each.rule)
            else each
            for each in self._found[situation.name]
        ]

    def _is_by_time(self, rule: str) -> bool:
        return self.document.client_rules[rule].rule.group in BY_TIME

    def _judged(self, episode: Episode, situation: Situation | None) -> list[Finding]:
        self.episodes.append(episode)
        case = Case(episode, self.document, self.document.client_rules, self._plain, situation)
        return list(findings(case))

    @property
    def sent(self) -> list[Send]:
        """Every request of every episode."""
        from feedback_verify.clients.telling import told  # noqa: PLC0415 (slow to import)

        return [step for episode in self.episodes for step in told(episode) if isinstance(step, Send)]

    def results(self) -> dict[str, Result]:
        """The verdict on every rule, in the document's order."""
        return {rule: self._result(rule) for rule in self.document.client_rules}

    def _result(self, rule: str) -> Result:
        # A client that sends twice at the same time does not know the first response either way.
        everything = [each for found in self._found.values() for each in found]
        twice = any(each.violation for each in everything if each.rule == "one-at-a-time")
        found = [each for each in everything if each.rule == rule and not (twice and each.kind == AT_ONCE)]
        result = judge(self.document.client_rules[rule].rule, found, frozenset(), exact=False)
        if result.verdict is Verdict.VIOLATED and self._plain is not None:
            shown = result.detail.partition(":")[0]
            others = [name for name, found in self._found.items() if name != shown and _breaks(rule, found)]
            result = replace(result, detail=f"{result.detail}{_also(others)}")
        elif self.stopped and result.verdict is Verdict.VERIFIED:
            why = f"the run was stopped after {result.observations} observations; none contradicted it"
            result = replace(result, verdict=Verdict.NOT_RUN, detail=why)
        elif result.verdict is Verdict.NOT_RUN and not self.stopped:
            result = replace(result, verdict=Verdict.NOT_VERIFIABLE, detail=self._why_not(rule))
        return replace(result, required=self.require(rule, result.verdict))

    def _why_not(self, rule: str) -> str:
        plain = self._plain
        if plain is None:
            return NOT_RECORDED
        if not plain.records:
            return "the client's feedback was not stored although everything worked"
        if rule == "values" and not takes_values(plain):
            return NO_VALUES
        if rule == "event-id":
            return NO_EVENT
        if len(self.situations) < len(situations(self.document)):
            return NOT_PLAYED
        return NO_TIME if rule == "retry-in-window" else NOT_SEEN


def _breaks(rule: str, found: Sequence[Finding]) -> bool:
    return any(each.violation for each in found if each.rule == rule)


def _also(situations: Sequence[str]) -> str:
    return f" (also in {', '.join(situations)})" if situations else ""


def _why_nothing(stage: Stage, plain: Episode) -> str:
    return (
        f"{stage.words[0]}: sent nothing to the mock, although everything works; it {plain.ending}. "
        "FEEDBACK_ENDPOINT, FEEDBACK_TOKEN, FEEDBACK_EVENT_ID and others say what to send and where: see --help."
    )
