"""Every lost response: runs a client's command once for each place where a response can get lost, and judges it.

It is right if the feedback is delivered, or if it is not and the command says so. Whether it should have retried is a
different question.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from feedback_spec.catalogue import Rule
from feedback_spec.client_rules import ClientRule
from feedback_spec.document import Document
from feedback_spec.instants import SECOND, in_words

from feedback_verify.clients.commands import CannotPlay
from feedback_verify.clients.episode import Attempt, Episode
from feedback_verify.clients.judges import findings
from feedback_verify.clients.judges.case import Case
from feedback_verify.clients.run import FEW
from feedback_verify.clients.situations import CONNECTION_FAULTS, PLAIN, Fault, Setting, Situation
from feedback_verify.clients.stage import Stage
from feedback_verify.clients.telling import told
from feedback_verify.steps import Send
from feedback_verify.verdicts import Finding, Result, Verdict

NOT_ASKED = frozenset({"retry-lost", "reports-refusal", "reports-outage", "reports-success"})
"""Rules reported here in other words, or about one feedback although a command may submit many."""
LATE = "late"
MOST_REPLAYS = 20  # violations that are played again; if there are more, it is not because the machine was busy
PHASES = {"before": "before it is handled", "after": "after it was handled"}


@dataclass(frozen=True)
class Placement:
    """One place where a response gets lost: for which request, and how."""

    request: Attempt
    situation: Situation


@dataclass
class Exploration:
    """The results of each placement, as far as it was run; `only` names the ones requested."""

    document: Document
    only: Sequence[str] = ()
    stopped: bool = False
    placements: list[Placement] = field(default_factory=list)
    _plain: Episode | None = None
    _episodes: dict[str, Episode] = field(default_factory=dict)
    _once: set[str] = field(default_factory=set)  # the placements that were violated only the first time

    def play(self, stage: Stage, progress: Callable[[int, int, str], None]) -> None:
        """Runs the command once, and once for each placement; a second time where that shows a violation.

        Raises CannotPlay if it fails without any fault.
        """
        progress(0, 1, PLAIN)
        plain = self._plain = stage.play(Situation(PLAIN, "everything works", texts=False))
        if plain.ended is not None or plain.exit_code != 0 or not plain.attempts:
            raise CannotPlay(_why_not(stage, plain))
        everything = list(placements(plain, self.document))
        names = [each.situation.name for each in everything]
        unknown = [name for name in self.only if name not in names]
        if unknown:
            raise CannotPlay(
                f'--placement: there is no "{unknown[0]}"; the first is "{names[0]}", the last "{names[-1]}".'
            )
        self.placements = [each for each in everything if not self.only or each.situation.name in self.only]
        total = len(self.placements)
        progress(0, total, self.placements[0].situation.name)
        for done, (situation, episode) in enumerate(stage.play_all([each.situation for each in self.placements]), 1):
            self._episodes[situation.name] = episode
            progress(done, total, situation.name)
        self._play_again(stage, plain, progress)

    def _play_again(self, stage: Stage, plain: Episode, progress: Callable[[int, int, str], None]) -> None:
        wrong = [each for each in self.placements if self._result(each).verdict is Verdict.VIOLATED]
        again = [each.situation for each in wrong] if len(wrong) <= MOST_REPLAYS else []
        for done, (situation, episode) in enumerate(stage.play_all(again, together=len(again) > FEW), 1):
            progress(done, len(again), situation.name)
            if episode.attempts and not any(self._wrong(episode, plain, situation)):
                self._once.add(situation.name)

    @property
    def sent(self) -> list[Send]:
        """Every request of every run."""
        episodes = [*([self._plain] if self._plain else []), *self._episodes.values()]
        return [step for each in episodes for step in told(each) if isinstance(step, Send)]

    def results(self) -> dict[str, Result]:
        """A verdict for each placement."""
        return {each.situation.name: self._result(each) for each in self.placements}

    def _result(self, placement: Placement) -> Result:
        request, situation = placement.request, placement.situation
        rule = Rule(
            id=situation.name,
            group=f"request {request.number}: {request.method} {request.url.partition('//')[2].partition('/')[2]}",
            level="advised",
            rule=f"The feedback is delivered, or the command says that it is not, if {situation.what}.",
            needs=(),
            page=None,
            also_allowed=(),
            refusal=None,
            message=None,
        )
        episode, plain = self._episodes.get(situation.name), self._plain
        if episode is None or plain is None:
            return Result(rule, Verdict.NOT_RUN, "the run was stopped before this placement")
        wrong = list(self._wrong(episode, plain, situation))
        steps = told(episode)
        if situation.name in self._once:
            return Result(rule, Verdict.INCONCLUSIVE, f"{'; '.join(wrong)}, but not when it was played again")
        if wrong:
            return Result(rule, Verdict.VIOLATED, "; ".join(wrong), 1, steps)
        if not any(each.fault for each in episode.attempts):
            return Result(rule, Verdict.INCONCLUSIVE, "this time, the command did not send that request")
        retries = len(episode.attempts) - len(plain.attempts)
        again = f" after {retries} more request{'s' if retries > 1 else ''}" if retries > 0 else ""
        how = f"delivered{again}" if episode.exit_code == 0 else f"reported: exit code {episode.exit_code}"
        return Result(rule, Verdict.VERIFIED, how, 1, steps)

    def _wrong(self, episode: Episode, plain: Episode, situation: Situation) -> Iterator[str]:
        rules = {rule: each for rule, each in self.document.client_rules.items() if rule not in NOT_ASKED}
        usual = {each.rule for each in self._judged(plain, rules, None) if each.violation}
        for each in self._judged(episode, rules, situation):
            if each.violation and each.rule not in usual:
                yield f"{each.rule}: {each.violation.removeprefix(f'{situation.name}: ')}"
        if episode.ended is None and episode.exit_code == 0:
            yield from _lost_in_silence(episode, plain)

    def _judged(
        self, episode: Episode, rules: Mapping[str, ClientRule], situation: Situation | None
    ) -> Iterator[Finding]:
        return findings(Case(episode, self.document, rules, self._plain, situation))


def placements(plain: Episode, document: Document) -> Iterator[Placement]:
    """For each request of the undisturbed run, every way in which its response can get lost."""
    beyond = max((each.limit for each in document.mutability.windows if each.base.startswith("feedback")), default=0)
    for number, request in enumerate(plain.attempts, 1):
        lost = f"the response to request {number} is lost"
        for phase, when in PHASES.items():
            for kind in CONNECTION_FAULTS:
                name = f"{number}-{phase}-{kind.split('_')[0].lower()}"
                rule = _fault(number, phase, {"connection": kind})
                yield Placement(request, Situation(name, f"{lost} ({kind}) {when}", rule, texts=False))
        if beyond:
            rule = _fault(number, "after", {"delay": "until_released", "connection": "EMPTY_RESPONSE"})
            what = f"{lost}, and the network is back {in_words(beyond + SECOND)} later"
            yield Placement(request, Situation(f"{number}-{LATE}", what, rule, hold=beyond + SECOND, texts=False))


def _fault(number: int, phase: str, effect: Fault) -> Callable[[Setting], Sequence[Fault]]:
    return lambda _: [{"match": {"nth": number}, "phase": phase, "times": 1, "effect": effect}]


def _lost_in_silence(episode: Episode, plain: Episode) -> Iterator[str]:
    """What is stored differently from the undisturbed run, although the command reports success."""
    wanted, stored = _contents(plain), _contents(episode)
    missing, more = wanted - stored, stored - wanted
    if missing and more:
        yield "the exit code is 0, but something different is stored than without the fault"
    elif missing:
        yield f"silently lost: the exit code is 0, but {missing.total()} of {wanted.total()} feedback is not stored"
    elif more:
        yield f"the exit code is 0, but {more.total()} more feedback is stored than without the fault"


def _contents(episode: Episode) -> Counter[tuple[str, ...]]:
    return Counter(tuple(str(each[name]) for name in ("name", "email", "comments")) for each in episode.records)


def _why_not(stage: Stage, plain: Episode) -> str:
    if not plain.attempts:
        return (
            f"{stage.words[0]}: sent nothing to the mock, so no response can be lost; it {plain.ending}. "
            "A test that starts a mock of its own, as with the fixture feedback_mock, sends to that one. "
            "FEEDBACK_ENDPOINT, FEEDBACK_TOKEN and others say where to send: see --help."
        )
    return f"{stage.words[0]}: fails even if nothing goes wrong, so no fault can be detected; it {plain.ending}."
