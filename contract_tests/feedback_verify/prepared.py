"""The options resolved into settings, document, run options and baseline, before any request is sent."""

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from feedback_spec.catalogue import Rule
from feedback_spec.document import Document, load
from feedback_spec.profiles import DOCUMENTED
from feedback_spec.spelling import meant

from feedback_verify.baseline import Baseline, read_baseline
from feedback_verify.flags import DETECT
from feedback_verify.realtime.plan import read
from feedback_verify.settings import Settings, SettingsError
from feedback_verify.verdicts import Verdict

WORDS = ("all", "level", "core")


@dataclass(frozen=True)
class Prepared:
    """What the options result in: the target's settings, the document, the options of a Run, and the baseline.

    `max_time` is in microseconds.
    """

    settings: Settings
    document: Document
    options: dict[str, Any]
    baseline: Baseline
    max_time: int | None


def prepare(values: dict[str, Any]) -> Prepared:
    """Resolves all options, given by field. Raises SettingsError and similar errors, with one sentence."""
    settings = Settings(**{each.name: values[each.name] for each in fields(Settings)})
    document = load(settings.spec, DOCUMENTED if settings.profile == DETECT else settings.profile)
    try:
        options = _run_options(document, values)
        baseline = read_baseline(values["baseline"], document) if values["baseline"] else Baseline()
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return Prepared(settings, document, options, baseline, values["max_time"])


def _run_options(document: Document, values: dict[str, Any]) -> dict[str, Any]:
    """The options of a Run. Raises ValueError or PlanError, with one sentence."""
    rules, replay, seed = values["rules"], values["replay"], values["seed"]
    earlier = _earlier(values["require"])
    return {
        **{name: values[name] for name in ("wait", "max_parallel", "depth")},
        "seed": int.from_bytes(os.urandom(4)) if seed is None else seed,
        "rules": _known_rules(document, rules) if rules else None,
        "require": _required_rules(document, values["require"]) if earlier is None else lambda *_: False,
        "before": earlier or {},
        "plan": read(replay, document) if replay else None,
        "plan_file": values["plan"],
    }


def _earlier(require: str) -> dict[str, str] | None:
    """If --require names an earlier report, that file by each rule verified in it. Raises ValueError."""
    from feedback_verify.reports.comparison import read_column  # noqa: PLC0415 (needs jsonschema-rs only when used)

    path = Path(require)
    if require in WORDS or (path.suffix != ".json" and not path.is_file()):
        return None
    rules = read_column(path).rules
    return {rule: str(path) for rule, each in rules.items() if each["verdict"] == Verdict.VERIFIED}


def _known_rules(document: Document, names: str) -> frozenset[str]:
    """The comma-separated names as rule ids. Raises ValueError for a rule that is not in the catalogue."""
    known = frozenset(each.strip() for each in names.split(","))
    unknown = sorted(known - set(document.verifiable))
    if unknown:
        raise ValueError(f'The catalogue has no rule "{unknown[0]}"{meant(unknown[0], document.verifiable)}')
    return known


def _required_rules(document: Document, require: str) -> Callable[[Rule, Verdict], bool]:
    """Whether a verdict counts for the exit code, by `core`, `level`, `all` or rule ids. Raises ValueError.

    `core` means the rules that the page states and that need only a URL with credentials; `level` means everything that
    the target allows. Rules left out by --rules are never required.
    """
    match require:
        case "core":
            answered = Verdict.AS_ANSWERED
            return lambda rule, verdict: rule.level == "documented" and not rule.needs and verdict is not answered
        case "level":
            return lambda _, verdict: verdict not in (Verdict.NOT_VERIFIABLE, Verdict.AS_ANSWERED)
        case "all":
            return lambda *_: True
    known = _known_rules(document, require)
    return lambda rule, _: rule.id in known
