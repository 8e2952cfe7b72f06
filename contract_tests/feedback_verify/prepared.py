"""What the options come to, before anything is asked: settings, document, what a run is told, the baseline."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from feedback_spec.document import Document, load
from feedback_spec.profiles import DOCUMENTED

from feedback_verify.baseline import Baseline, read_baseline
from feedback_verify.flags import DETECT
from feedback_verify.settings import Settings, SettingsError
from feedback_verify.verdicts import Verdict

WORDS = ("all", "level", "core")


@dataclass(frozen=True)
class Prepared:
    """What the options come to: the target's settings, the document, what a Run is told, and the baseline.

    `max_time` is in microseconds.
    """

    settings: Settings
    document: Document
    options: dict[str, Any]
    baseline: Baseline
    max_time: int | None


def prepare(values: dict[str, Any]) -> Prepared:
    """The values of all options, by their fields. Raises SettingsError and the like, in one sentence."""
    settings = Settings(**{each.name: values[each.name] for each in fields(Settings)})
    document = load(settings.spec, DOCUMENTED if settings.profile == DETECT else settings.profile)
    try:
        options = _run_options(document, values)
        baseline = read_baseline(values["baseline"], document) if values["baseline"] else Baseline()
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return Prepared(settings, document, options, baseline, values["max_time"])


def _run_options(document: Document, values: dict[str, Any]) -> dict[str, Any]:
    """What a Run is told. Raises ValueError or PlanError, in one sentence."""
    # Schemathesis and Hypothesis take their time to import; a wrong flag needs neither.
    from feedback_verify.realtime.plan import read  # noqa: PLC0415
    from feedback_verify.run import known_rules, required_rules  # noqa: PLC0415

    rules, replay, seed = values["rules"], values["replay"], values["seed"]
    earlier = _earlier(values["require"])
    return {
        **{name: values[name] for name in ("wait", "max_parallel", "depth")},
        "seed": int.from_bytes(os.urandom(4)) if seed is None else seed,
        "rules": known_rules(document, rules) if rules else None,
        "require": required_rules(document, values["require"]) if earlier is None else lambda *_: False,
        "before": earlier or {},
        "plan": read(replay, document) if replay else None,
        "plan_file": values["plan"],
    }


def _earlier(require: str) -> dict[str, str] | None:
    """Where --require names an earlier report, the file by each rule that it has as verified. Raises ValueError."""
    from feedback_verify.reports.comparison import read_column  # noqa: PLC0415 (jsonschema-rs, when it is needed)

    path = Path(require)
    if require in WORDS or (path.suffix != ".json" and not path.is_file()):
        return None
    rules = read_column(path).rules
    return {rule: str(path) for rule, each in rules.items() if each["verdict"] == Verdict.VERIFIED}
