"""The results of campaigns, as pages in docs/. Judges nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_spec.document import load
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.broken.mutants import MUTANTS
from tests.mutation.campaign import UNEXPLAINED, Campaign, Judged
from tests.mutation.changes import Change
from tests.mutation.processes import Fate
from tests.mutation.survivors import Kind
from tests.mutation.units import Unit

GROUPS = {
    "number": "numbers",
    "NumberReplacer": "numbers",
    "string": "texts",
    "symmetric-string-methods-swap": "texts",
    "unsymmetrical-string-methods-swap": "texts",
    "arg-removal": "arguments",
    "dict-arguments": "arguments",
    "assignment": "assignments",
    "augmented-assignment": "assignments",
    "ReplaceComparisonOperator": "comparisons",
    "ReplaceBinaryOperator": "arithmetic",
    "ReplaceUnaryOperator": "arithmetic",
    "swap-op": "operators",
}
OTHER = "flow"  # branches, loops, exceptions, lambdas, decorators


@dataclass(frozen=True)
class Row:
    """How many servers of each kind a rule has detected."""

    rule: str
    code: Counter[str]
    documents: int
    by_hand: int

    @property
    def forced(self) -> bool:
        """Whether a verifier without this rule would let a broken server pass."""
        return bool(self.code.total() or self.documents or self.by_hand)


def matrix(rules: Iterable[str], judged: Iterable[Judged]) -> list[Row]:
    """A row for each rule."""
    code: dict[str, Counter[str]] = {rule: Counter() for rule in rules}
    documents: Counter[str] = Counter()
    for each in judged:
        for rule in each.judgement.rules:
            if isinstance(each.change, Change):
                code[rule][GROUPS.get(each.change.operator, OTHER)] += 1
            else:
                documents[rule] += 1
    by_hand = Counter(rule for mutant in MUTANTS for rule in {mutant.rule, *mutant.also})
    return [Row(rule, code[rule], documents[rule], by_hand[rule]) for rule in code]


def as_markdown(code: Campaign, documents: Campaign, left: int) -> str:
    """The page in docs/: figures, what is not detected, and the matrix; `left` changes were not judged."""
    judged = [*code.judged, *documents.judged]
    ends = [end for end in [*Fate, *Kind, UNEXPLAINED] if code.fates[end] + documents.fates[end]]
    why = Counter((each.end, each.reason.why) for each in judged if each.reason and each.end == each.reason.kind)
    return rendered(
        "mutation.md.j2",
        code=code,
        documents=documents,
        left=left,
        ends=ends,
        reasons=[(kind, words, why[kind, words]) for kind, words in sorted(why)],
        unexplained=[str(each.change) for each in judged if each.problem],
        rows=matrix(load().verifiable, judged),
        groups=list(dict.fromkeys([*GROUPS.values(), OTHER])),
    )


def units_as_markdown(campaigns: Mapping[Unit, Campaign]) -> str:
    """The page in docs/ about the project's own tests."""
    judged = [(unit, each) for unit, campaign in campaigns.items() for each in campaign.judged]
    why = Counter(
        (unit.module, each.reason.why) for unit, each in judged if each.reason and each.end == each.reason.kind
    )
    rows = [(unit, campaign, _summed(campaign)) for unit, campaign in campaigns.items()]
    return rendered("units.md.j2", rows=rows, reasons=[(*key, count) for key, count in sorted(why.items())])


def _summed(campaign: Campaign) -> dict[str, int]:
    fates = campaign.fates
    return {
        "killed": fates[Fate.KILLED],
        "broken": fates[Fate.BROKEN],
        "explained": fates[Kind.EQUIVALENT] + fates[Kind.OUT_OF_REACH],
        "unseen": fates[Kind.BLIND] + fates[UNEXPLAINED],
    }


def rendered(template: str, **values: Any) -> str:
    """A page from a template of this folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, keep_trailing_newline=True
    )  # not escaped: it is Markdown, and every word of it is ours
    return environment.get_template(template).render(percent=lambda share: f"{share:.1%}", **values)
