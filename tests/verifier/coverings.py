"""The covering arrays that runs need most often: `python -m tests.verifier.coverings` stores them with the verifier."""

import itertools

from feedback_spec.document import load
from feedback_spec.profiles import PROFILES
from feedback_verify.arrays.array import arrays_for
from feedback_verify.arrays.covering import STORED, Shape, written
from feedback_verify.targets import ControlTarget, Target
from feedback_verify.targets.url import CAPABILITY_OF

DEPTHS = ("quick", "default", "full")


class _Exact(Target):
    capabilities = ControlTarget.capabilities
    clock = "exact"
    calendar = True


class _Application(Target):
    """An application in this process, with credentials of all kinds, whose events can be saved."""

    capabilities = frozenset({*CAPABILITY_OF.values(), "clock", "event", "aged-event", "aged-timestamp"})
    clock = "exact"


class _Url(Target):
    """Only a URL, with credentials of some kinds."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__("http://localhost")
        self.capabilities = frozenset({*(CAPABILITY_OF[kind] for kind in kinds), "parallel", "event"})


def needed() -> list[tuple[Shape, int]]:
    """Of each profile, at each depth: the arrays for a target with a control API, an application, and a URL."""
    targets = [_Exact("http://localhost"), _Application("http://localhost")]
    targets += [_Url(("write",)), _Url(("write", "dsn")), _Url(tuple(CAPABILITY_OF))]
    documents = [load(profile=profile) for profile in PROFILES]
    arrays = itertools.chain.from_iterable(
        arrays_for(document, target, depth) for document, target, depth in itertools.product(documents, targets, DEPTHS)
    )
    return list(dict.fromkeys((tuple(len(values) for _, values in each.varied), each.strength) for each in arrays))


if __name__ == "__main__":
    STORED.write_text(written(needed()), "ascii")
