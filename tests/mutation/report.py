"""The results of a campaign, as `docs/mutation.md`. Judges nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from feedback_spec.document import load
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.broken.mutants import MUTANTS
from tests.mutation.campaign import UNEXPLAINED, Campaign, Judged
from tests.mutation.changes import Change
from tests.mutation.processes import Fate
from tests.mutation.survivors import Kind

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


def as_markdown(code: Campaign, documents: Campaign, whole: bool) -> str:
    """The page in docs/: figures, what is not detected, and the matrix; `whole` if every change was judged."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, keep_trailing_newline=True
    )  # not escaped: it is Markdown, and every word of it is ours
    judged = [*code.judged, *documents.judged]
    ends = [end for end in [*Fate, *Kind, UNEXPLAINED] if code.fates[end] + documents.fates[end]]
    why = Counter((each.end, each.reason.why) for each in judged if each.reason and each.end == each.reason.kind)
    return environment.get_template("mutation.md.j2").render(
        code=code,
        documents=documents,
        whole=whole,
        ends=ends,
        reasons=[(kind, words, why[kind, words]) for kind, words in sorted(why)],
        unexplained=[str(each.change) for each in judged if each.problem],
        rows=matrix(load().verifiable, judged),
        groups=list(dict.fromkeys([*GROUPS.values(), OTHER])),
        percent=lambda share: f"{share:.1%}",
    )
