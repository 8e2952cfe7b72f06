"""Everything that is refused, as requests that differ from a plain submission in one thing. Pure: sends nothing.

`arrays.credentials` covers who may submit. Statuses come from the document's rules, lengths from its schema.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from feedback_spec.document import Document
from feedback_spec.profiles import DOCUMENTED

from feedback_verify.exchange import Altered, Project, Secret
from feedback_verify.scenario import JSON, VALUES, Scenario, dashed

ANY_REFUSAL = tuple(range(400, 500))
FIELDS = ("event_id", *VALUES)
WIDE = {ord(digit): 0xFF10 + value % 10 for value, digit in enumerate("0123456789abcdef")}
"""Digits that other scripts have, too. An id of its own on every run: a server that accepts it has it for good."""
NOT_HEX = str.maketrans("abcdefABCDEF", "uvwxyzUVWXYZ")


class _Removed:
    """Takes the place of a value that is not sent."""


REMOVED = _Removed()


@dataclass(frozen=True)
class Setting:
    """The setting of an attempt: the project, the credentials, the field; `values` are valid ones.

    `beside` returns another project, in the same organization or with the same name in another one.
    """

    scenario: Scenario
    where: Project
    by: str
    about: str
    values: Mapping[str, str]
    beside: Callable[[bool], Project] = field(repr=False)

    @property
    def document(self) -> Document:
        """The document that says what is refused."""
        return self.scenario.document


@dataclass(frozen=True)
class Attempt:
    """A request that differs from a plain submission in what is given here; `words` say how.

    `statuses` if they are not those of the rule; `names` is the field that the response must name. With `maybe`, the
    document leaves open whether it is accepted, and the target's behaviour is a remark; with `taken`, it is accepted.
    `by` is the kind of its credentials, if not the setting's.
    """

    words: str
    method: str = "POST"
    authorization: Secret | str | None = None
    anonymous: bool = False
    headers: Mapping[str, Secret | str] = field(default_factory=dict)
    in_query: Altered | None = None
    path: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    media_type: str | None = None
    statuses: tuple[int, ...] = ()
    names: str | None = None
    maybe: bool = False
    taken: bool = False
    by: str = ""

    def values(self, setting: Setting) -> dict[str, Any]:
        """The fields that it sends."""
        return {name: each for name, each in {**setting.values, **self.changes}.items() if each is not REMOVED}

    @property
    def json_only(self) -> bool:
        """Whether no form can express it: in forms, every value is a string."""
        return any(not isinstance(each, (str, _Removed)) for each in self.changes.values())


Attempts = Callable[[Setting], Iterator[Attempt]]


@dataclass(frozen=True)
class Kind:
    """Attempts about one rule; `needs` is what they require beyond the rule's own needs."""

    name: str
    rule: str
    attempts: Attempts
    needs: tuple[str, ...] = ()


# --- fields


# Names for it in responses and in other endpoints.
_OTHER_NAMES = {
    "event_id": ("eventID", "eventId", "event"),
    "comments": ("comment", "message"),
    "email": ("user_email",),
}


def _missing(s: Setting) -> Iterator[Attempt]:
    yield Attempt(f"without {s.about}", changes={s.about: REMOVED}, names=s.about)
    misspelt = {s.about: REMOVED, s.about.capitalize(): s.values[s.about]}
    yield Attempt(f"with {s.about.capitalize()} in place of {s.about}", changes=misspelt, names=s.about)
    if s.about == "name":  # what JavaScript would inherit it from; some servers do not even read on
        inherited = {"name": REMOVED, "__proto__": {"name": s.values["name"]}}
        yield Attempt("with name in __proto__ only", changes=inherited)
    for other in _OTHER_NAMES.get(s.about, ()):
        misspelt = {s.about: REMOVED, other: s.values[s.about]}
        yield Attempt(f"with {other} in place of {s.about}", changes=misspelt, names=s.about)


def _null(s: Setting) -> Iterator[Attempt]:
    yield Attempt(f"with {s.about} null", changes={s.about: None}, names=s.about)


def _blank(s: Setting) -> Iterator[Attempt]:
    yield Attempt(f"with {s.about} empty", changes={s.about: ""}, names=s.about)
    if s.document.behaviour.is_trimmed(s.about):
        for blank in ("   ", "\t\n", "\r\n \r\n", "\u2003\u3000"):
            yield Attempt(f"with {s.about} blank ({blank!r})", changes={s.about: blank}, names=s.about)


def _no_text(s: Setting) -> Iterator[Attempt]:
    kinds: Mapping[str, tuple[Any, ...]] = {
        "object": ({}, {"a": s.values[s.about]}),
        "array": ([], [s.values[s.about]]),
        "boolean": (True, False),
        "number": (1, 0.5),
    }
    for kind, values in kinds.items():
        for value in values if kind not in s.document.behaviour.coerce else ():
            yield Attempt(f"with {s.about} {json.dumps(value)[:40]}", changes={s.about: value}, names=s.about)


def _nul(s: Setting) -> Iterator[Attempt]:
    yield Attempt(f"with the character NUL in {s.about}", changes={s.about: "a\0b"}, names=s.about)


def _too_long(s: Setting) -> Iterator[Attempt]:
    limits = {name: schema.get("maxLength") for name, schema in s.document.field_schemas.items()}
    name = s.about if s.about != "event_id" and limits[s.about] else "name"
    limit = int(limits[name] or 0)
    made: dict[str, Callable[[int], str]] = {
        "": lambda length: "n" * length,
        " not in ASCII": lambda length: "ñ" * length,
        ", two to a letter": lambda length: ("e\u0301" * length)[:length],
    }
    if name == "email":
        made = {"": lambda length: "e@" + "d." * ((length - 6) // 2) + "example"[: 4 + length % 2]}
    for how, make in made.items():
        for length in (limit + 1, limit * 10):
            yield Attempt(f"with {name} of {length} characters{how}", changes={name: make(length)}, names=name)


def _no_email(_: Setting) -> Iterator[Attempt]:
    wrong = (
        "nope",
        "nope@",
        "@example.com",
        "a b@example.com",
        "a@b@example.com",
        "jane.example.com",
        "jane@exa mple.com",
        "jane@example..com",
    )
    for email in (*wrong, "Jane <jane@example.com>"):
        yield Attempt(f"with the email {email!r}", changes={"email": email}, names="email")


def _long_event_id(s: Setting) -> Iterator[Attempt]:
    event_id = s.values["event_id"]
    longer = (f"{event_id}0", f"0{event_id}", dashed(event_id), event_id * 2, f"{{{event_id}}}", f"0x{event_id}")
    for value in (*longer, f"{event_id[:8]} {event_id[8:]}"):
        yield Attempt(f"with the event id {value!r}", changes={"event_id": value}, names="event_id")


def _malformed_event_id(s: Setting) -> Iterator[Attempt]:
    event_id = s.values["event_id"]
    wrong = (
        event_id[:-1],
        event_id.translate(NOT_HEX),
        f"{event_id[:-1]}g",
        f"not-hex-{event_id[:8]}",
        f"0x{event_id[2:]}",
    )
    for value in (*wrong, event_id.translate(WIDE), f"{event_id[:15]} {event_id[16:]}"):
        yield Attempt(f"with the event id {value!r}", changes={"event_id": value})


# --- bodies


def _broken(s: Setting) -> Iterator[Attempt]:
    whole = json.dumps(s.values).encode()
    yield Attempt("with JSON that ends too soon", content=whole[:-1])
    yield Attempt("with something after the JSON", content=whole + b"}")
    for content in (b"{", b'{"event_id": ', b"nonsense", b"{'event_id': 1}", b"\xff\xfe", b'{"name": "\xff"}'):
        yield Attempt(f"with the body {content!r}", content=content)
    # Python 2, and so Sentry 9.1, reads half of a surrogate pair as a character.
    for wrong in (b"\xff", b"\xc3", *((b"\xed\xa0\x80",) if s.document.profile == DOCUMENTED else ())):
        spoilt = whole.replace(b'"comments": "', b'"comments": "' + wrong + b" ")
        yield Attempt(f"with JSON that is not UTF-8 for its {wrong!r}", content=spoilt)
    # Everything required is there, but written in a relative of JSON, not in JSON itself (RFC 8259).
    yield Attempt("with JSON in single quotes", content=whole.replace(b'"', b"'"))
    yield Attempt("with JSON whose keys have no quotes", content=re.sub(rb'"(\w+)":', rb"\1:", whole))
    yield Attempt("with a comma after the last value", content=whole[:-1] + b",}")
    yield Attempt("with a comment in the JSON", content=whole[:-1] + b"/* no more */}")
    for value in (b"True", b"undefined", b"01", b".5", b"0x1F", b'"a\nb"', b'"\\x41"'):
        yield Attempt(f"with {value.decode()!r} as the value of another key", content=_with_more(whole, value))
    for value in (b"NaN", b"Infinity", b"-Infinity"):
        # Whether real servers accept them was never tested.
        free = s.document.profile != DOCUMENTED
        yield Attempt(
            f"with {value.decode()} as the value of another key", content=_with_more(whole, value), maybe=free
        )


def _with_more(whole: bytes, value: bytes) -> bytes:
    """The JSON object with an additional, unknown key."""
    return whole[:-1] + b', "more": ' + value + b"}"


def _no_object(s: Setting) -> Iterator[Attempt]:
    for value in ([dict(s.values)], json.dumps(s.values), 1, 1.5, True, False, []):
        yield Attempt(f"with the body {json.dumps(value)[:40]}", content=json.dumps(value).encode())


def _null_body(_: Setting) -> Iterator[Attempt]:
    yield Attempt("with the body null", content=b"null")


def _other_media_type(_: Setting) -> Iterator[Attempt]:
    for name in ("text/plain", "application/xml", "application/octet-stream", "application/vnd.api+json", "text/json"):
        yield Attempt(f"as {name}", media_type=name)
    for name in ("application/jsonp", "text/plain; of=application/json"):
        yield Attempt(f"as {name}", media_type=name)
    yield Attempt("without a Content-Type", media_type="")


def _too_large(s: Setting) -> Iterator[Attempt]:
    limit = int(s.document.submit.extensions["x-max-body-bytes"])
    whole = json.dumps(s.values).encode()
    yield Attempt(f"with a body of {limit + 1} bytes", content=_filled(s, limit + 1 - len(whole)))
    yield Attempt(f"with a body of {2 * limit} bytes", content=_filled(s, 2 * limit - len(whole)))
    yield Attempt("with a body over the limit for its white space", content=whole + b" " * (limit + 1 - len(whole)))
    key = b', "more": "' + b"m" * limit + b'"}'
    yield Attempt("with a body over the limit for another key", content=whole[:-1] + key)


def _filled(s: Setting, more: int) -> bytes:
    return json.dumps({**s.values, "comments": s.values["comments"] + "c" * more}).encode()


# --- paths and methods


def _no_project(s: Setting) -> Iterator[Attempt]:
    path, slug, organization = s.scenario.path(s.where), s.where.slug, s.where.organization
    for words, wrong in (
        ("no-such-project", "no-such-project"),
        ("the slug, longer", f"{slug}x"),
        ("its end", slug[1:]),
        ("with a wildcard", f"{slug[:-1]}_"),
    ):
        if wrong:
            yield Attempt(f"to the project {words}", path=path.replace(f"/{slug}/", f"/{wrong}/", 1))
    unknown = path.replace(f"/{organization}/", "/no-such-organization/", 1)
    yield Attempt("to an unknown organization", path=unknown)
    swapped = Project(slug, organization, {})
    if slug != organization:
        yield Attempt("with project and organization swapped", path=s.scenario.path(swapped))


def _project_of_another_organization(s: Setting) -> Iterator[Attempt]:
    same, foreign = s.beside(True), s.beside(False)
    yield Attempt(
        "to a project of another organization, under its own",
        path=s.scenario.path(Project(foreign.organization, same.slug, {})),
    )


def _number_in_path(s: Setting) -> Iterator[Attempt]:
    number = s.where.credentials["dsn"].secret.rpartition("/")[2]
    path = s.scenario.path(Project(s.where.organization, number, {}))
    taken = s.document.behaviour.ids_in_path
    yield Attempt("with the project's number in place of its slug", path=path, taken=taken)


def _no_route(s: Setting) -> Iterator[Attempt]:
    path = s.scenario.path(s.where)
    yield Attempt("without the trailing slash", path=path.rstrip("/"))
    others = (path.replace("user-feedback", name) for name in ("user-feedbacks", "User-Feedback"))
    for other in (f"{path}1/", *others, path.replace("/0/", "/9/")):
        yield Attempt(f"to the path …{other[-24:]}", path=other, statuses=ANY_REFUSAL)


def _other_method(s: Setting) -> Iterator[Attempt]:
    """Some servers check for a scope first, which only some methods have."""
    scopes = s.document.behaviour.methods
    for method in ("PUT", "PATCH", "DELETE"):
        may = scopes is None or (s.by != "dsn" and "project:write" in scopes.get(method, ()))
        yield Attempt(f"by {method}", method=method, statuses=() if may else (403, 405))


KINDS: tuple[Kind, ...] = (
    Kind("a field missing", "field-required", _missing),
    Kind("a field null", "field-null", _null),
    Kind("a field blank", "field-blank", _blank),
    Kind("a field that is not a string", "field-type", _no_text),
    Kind("a field with NUL", "field-nul", _nul),
    Kind("a field too long", "field-length", _too_long),
    Kind("an invalid email address", "email-format", _no_email),
    Kind("an event id too long", "event-id-length", _long_event_id),
    Kind("an event id malformed", "event-id-format", _malformed_event_id),
    Kind("broken JSON", "body-syntax", _broken),
    Kind("not a JSON object", "body-object", _no_object),
    Kind("null", "body-null", _null_body),
    Kind("another media type", "media-type", _other_media_type),
    Kind("a body too large", "body-size", _too_large),
    Kind("no such project", "project-exists", _no_project),
    Kind("a project elsewhere", "project-exists", _project_of_another_organization, ("second-project",)),
    Kind("a number in the path", "project-exists", _number_in_path, ("dsn",)),
    Kind("no such route", "route", _no_route),
    Kind("another method", "method", _other_method),
)


def statuses(document: Document, kind: Kind, attempt: Attempt) -> tuple[int, ...]:
    """The statuses with which an attempt may be refused; none if the document accepts it."""
    rule = document.rules[kind.rule]
    if attempt.taken:
        return ()
    return tuple(dict.fromkeys((*attempt.statuses, *rule.also_allowed) if attempt.statuses else rule.refusals))


def media_type_of(attempt: Attempt, otherwise: str) -> str:
    """The media type of an attempt; empty for none."""
    if attempt.media_type is not None:
        return attempt.media_type
    return JSON if attempt.content is not None or attempt.json_only else otherwise
