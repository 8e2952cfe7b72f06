"""Every option of feedback-verify in one table; flags, environment, TOML file, pytest and action.yml all use it.

Standard library only, and reads nothing: every pytest run in the environment loads this.
"""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "flag", "file", "duration", "whole", "number", "profile", "depth"]
DEPTHS = ("quick", "default", "full")
TYPES: dict[Kind, tuple[type | tuple[type, ...], str]] = {
    "flag": (bool, "true or false"),
    "whole": (int, "a whole number"),
    "number": ((int, float), "a number"),
}


@dataclass(frozen=True)
class Option:
    """`--name`, FEEDBACK_NAME, `name = …` in the --config file, `--feedback-name` of pytest.

    `target` options are fields of Settings and say how to reach the target; the others say what to do with it. `action`
    options are inputs of the GitHub action. `elsewhere` options exist outside the command line, too.
    """

    name: str
    help: str
    kind: Kind = "text"
    metavar: str = ""
    default: Any = None
    least: float | None = None
    most: float | None = None
    target: bool = False
    action: bool = True
    elsewhere: bool = True

    @property
    def field(self) -> str:
        """The name in Python."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return f"FEEDBACK_{self.field.upper()}"

    def wrong(self, value: object) -> str | None:
        """What the TOML value must be instead; None if it is valid."""
        wanted, words = TYPES.get(self.kind, (str, "a text"))
        fits = isinstance(value, wanted) and (self.kind == "flag" or not isinstance(value, bool))
        if fits and isinstance(value, str) and "\0" in value:
            return "a text without the character U+0000"
        return None if fits else words


URL = Option(
    "url",
    "Base URL of the server, such as http://127.0.0.1:9000. Without it, a mock is started and verified.",
    target=True,
)
OPTIONS = (
    Option(
        "control",
        "Exact clock: base URL of a control API (spec/control.yaml). URL may be omitted if the endpoint is there too.",
        metavar="URL",
        target=True,
    ),
    Option(
        "control-token",
        "The token of a control API that requires one. Better set as FEEDBACK_CONTROL_TOKEN.",
        metavar="TOKEN",
        target=True,
    ),
    Option(
        "app",
        "In-process with a frozen clock: an ASGI or WSGI application.",
        metavar="PKG.MOD:APP",
        target=True,
        action=False,
    ),
    Option(
        "seed-callable",
        "With --app: the function that saves an event (event_id, saved_at, timestamp).",
        metavar="PKG.MOD:FN",
        target=True,
        action=False,
    ),
    Option(
        "command",
        "Start this under libfaketime and move its clock; it must serve URL.",
        metavar="COMMAND",
        target=True,
    ),
    Option(
        "seed-command",
        "The command that saves an event; {event_id}, {saved_ago} and {timestamp_ago} are filled in.",
        metavar="COMMAND",
        target=True,
    ),
    Option(
        "provider-state-url",
        "Save events through this provider state URL, in Pact's format.",
        metavar="URL",
        target=True,
    ),
    Option(
        "ingest",
        "Save events as SDKs do, at the store endpoint named by the DSN.",
        "flag",
        default=False,
        target=True,
    ),
    Option("wait", "How long the run may wait for deadlines, such as 6m or 31m.", "duration", "DURATION"),
    Option("organization", "The organization to use if there is no control API.", metavar="SLUG", target=True),
    Option("project", "The project to use if there is no control API.", metavar="SLUG", target=True),
    Option(
        "token",
        "A bearer token that may submit. Better set as FEEDBACK_TOKEN.",
        metavar="TOKEN",
        target=True,
    ),
    Option(
        "read-token",
        "A bearer token that may only read. Better set as FEEDBACK_READ_TOKEN.",
        metavar="TOKEN",
        target=True,
    ),
    Option("dsn", "The project's DSN. Better set as FEEDBACK_DSN.", metavar="DSN", target=True),
    Option("other-dsn", "The DSN of another project. Better set as FEEDBACK_OTHER_DSN.", metavar="DSN", target=True),
    Option("cacert", "Also trust the certificates in this file.", "file", "FILE", target=True),
    Option("insecure", "Trust any certificate.", "flag", default=False, target=True),
    Option("proxy", "Send everything through this proxy.", metavar="URL", target=True),
    Option(
        "rate",
        "Maximum requests per second. Found automatically if the target answers 429.",
        "number",
        "N",
        least=0.1,
        target=True,
    ),
    Option(
        "depth",
        "quick: every value, and pairs around the limits. default: all pairs, and triples there. full: long histories.",
        "depth",
        default="default",
    ),
    Option(
        "settle",
        "How long lists and saved events may lag behind.",
        "duration",
        "DURATION",
        default="5s",
        target=True,
    ),
    Option(
        "tolerance",
        "The resolution of the target's clock, such as 1ms or 1s. Detected if dates show it.",
        "duration",
        "DURATION",
        target=True,
    ),
    Option("rules", "Judge only these rules, without Schemathesis and random histories.", metavar="ID,…"),
    Option(
        "require",
        "What must be verified for exit code 0: all rules, what this target allows (level), what a URL can show "
        "(core), the named rules, or the rules verified in an earlier JSON report.",
        metavar="all|level|core|ID,…|FILE",
        default="all",
    ),
    Option(
        "baseline", "Known violations to accept, strictly: a TOML file with [accepted], rule = reason.", "file", "FILE"
    ),
    Option("seed", "Repeat a run with its seed, which the report names.", "whole", metavar="N"),
    Option("plan", "Write the plan of timed submissions to this file.", "file", "FILE", action=False),
    Option(
        "max-parallel", "Maximum requests at the same time.", "whole", "N", default=16, least=1, most=256, action=False
    ),
    Option("max-time", "Stop after this long and report the verdicts so far.", "duration", "DURATION"),
    Option(
        "profile",
        "What to verify against: the published page, a real Sentry version, or the best fit (detect).",
        "profile",
        default="documented",
        target=True,
    ),
    Option("spec", "Use this document in place of the packaged one.", "file", "FILE", target=True),
    Option(
        "debug",
        "Print the traceback of any error that ends the run with exit code 2.",
        "flag",
        default=False,
        elsewhere=False,
    ),
)
EVERYWHERE = tuple(each for each in (URL, *OPTIONS) if each.elsewhere)
