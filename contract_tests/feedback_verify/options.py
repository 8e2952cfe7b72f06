"""Every option of feedback-verify in one table: flags, environment, TOML file, pytest and action.yml all come from it.

Standard library only, and nothing is read here: every pytest of an environment loads this.
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
    """`--name`, FEEDBACK_NAME, `name = …` in the file of --config, `--feedback-name` of pytest.

    `target` says that it is a field of Settings: how the target is reached; the others say what is done with it.
    `action` says that the GitHub action has it as an input, `elsewhere` that there is more of it than the command line.
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
        """The name as Python has it."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"FEEDBACK_{self.field.upper()}"

    def wrong(self, value: object) -> str | None:
        """What the value of a TOML file must be instead; None where it fits."""
        wanted, words = TYPES.get(self.kind, (str, "a text"))
        fits = isinstance(value, wanted) and (self.kind == "flag" or not isinstance(value, bool))
        return None if fits else words


URL = Option(
    "url",
    "Where the endpoint answers, such as http://127.0.0.1:9000. Without it a mock is started and verified.",
    target=True,
)
OPTIONS = (
    Option(
        "control",
        "Exact clock: base URL of a control API (spec/control.yaml); where the endpoint answers too, the URL can go.",
        metavar="URL",
        target=True,
    ),
    Option(
        "control-token",
        "The token of a control API that takes one. Better given as FEEDBACK_CONTROL_TOKEN.",
        metavar="TOKEN",
        target=True,
    ),
    Option(
        "app",
        "In process, frozen clock: an ASGI or WSGI application.",
        metavar="PKG.MOD:APP",
        target=True,
        action=False,
    ),
    Option(
        "seed-callable",
        "With --app: saves an event (event_id, saved_at, timestamp).",
        metavar="PKG.MOD:FN",
        target=True,
        action=False,
    ),
    Option(
        "command",
        "Start this, under libfaketime, and move its clock; it answers at URL.",
        metavar="COMMAND",
        target=True,
    ),
    Option(
        "seed-command",
        "Saves an event: {event_id}, {saved_ago}, {timestamp_ago} are filled in.",
        metavar="COMMAND",
        target=True,
    ),
    Option(
        "provider-state-url",
        "Saves an event by a provider state, in Pact's form.",
        metavar="URL",
        target=True,
    ),
    Option(
        "ingest",
        "Saves events as SDKs do, at the store endpoint that the DSN names.",
        "flag",
        default=False,
        target=True,
    ),
    Option("wait", "How long a run may wait for deadlines: 6m, 31m.", "duration", "DURATION"),
    Option("organization", "The organization to use where there is no control API.", metavar="SLUG", target=True),
    Option("project", "The project to use where there is no control API.", metavar="SLUG", target=True),
    Option(
        "token",
        "A bearer token that may submit. Better given as FEEDBACK_TOKEN.",
        metavar="TOKEN",
        target=True,
    ),
    Option("read-token", "A bearer token that may only read. FEEDBACK_READ_TOKEN.", metavar="TOKEN", target=True),
    Option("dsn", "The project's DSN. Better given as FEEDBACK_DSN.", metavar="DSN", target=True),
    Option("other-dsn", "The DSN of another project. FEEDBACK_OTHER_DSN.", metavar="DSN", target=True),
    Option("cacert", "Trust the certificates of this file too.", "file", "FILE", target=True),
    Option("insecure", "Trust any certificate.", "flag", default=False, target=True),
    Option("proxy", "Send everything through this proxy.", metavar="URL", target=True),
    Option(
        "rate",
        "Requests in a second, at most. Where the target answers 429, what it takes is found.",
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
        "The step in which the target's clock counts, such as 1ms or 1s. Found where that can be seen.",
        "duration",
        "DURATION",
        target=True,
    ),
    Option("rules", "Judge these rules only, without Schemathesis and random histories.", metavar="ID,…"),
    Option(
        "require",
        "What exit code 0 takes: all rules, what this target allows (level), what a URL is enough for (core), these "
        "rules, or those that an earlier JSON report has as verified.",
        metavar="all|level|core|ID,…|FILE",
        default="all",
    ),
    Option("baseline", "Known violations, strictly: TOML, [accepted], rule = why.", "file", "FILE"),
    Option("seed", "Repeat a run: the report names its seed.", "whole", metavar="N"),
    Option("plan", "Write the plan of timed submissions there.", "file", "FILE", action=False),
    Option("max-parallel", "Requests in flight.", "whole", "N", default=16, least=1, most=256, action=False),
    Option("max-time", "Stop after this long and report what is known.", "duration", "DURATION"),
    Option(
        "profile",
        "What to verify against: the page, a real Sentry, or the one of these that the target fits best.",
        "profile",
        default="documented",
        target=True,
    ),
    Option("spec", "Another document than the one that comes with this.", "file", "FILE", target=True),
    Option(
        "debug",
        "Print the traceback of whatever ends the run with exit code 2.",
        "flag",
        default=False,
        elsewhere=False,
    ),
)
EVERYWHERE = tuple(each for each in (URL, *OPTIONS) if each.elsewhere)
