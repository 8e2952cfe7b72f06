"""Broken servers that change, misread or misjudge what users write."""

import re
from typing import Any, ClassVar

from tests.broken.registry import breaks
from tests.broken.server import DETAIL, Implementation, Project, Record, Refusal


class Rewrites(Implementation):
    """Replaces some of what is written before it stores it."""

    pattern: ClassVar[str]
    replacement = ""

    def validate(self, data: Any) -> dict[str, str]:
        """The values, rewritten."""
        body = super().validate(data)
        kept = ("event_id", "email")
        return {
            name: value if name in kept else re.sub(self.pattern, self.replacement, value) or value
            for name, value in body.items()
        }


@breaks("exact-values", "overwrite")
class SpacesAreCollapsed(Rewrites):
    """As a browser shows them."""

    pattern, replacement = r"(\s)\s+", r"\1"


@breaks("exact-values")
class PunctuationAroundTextIsTrimmed(Rewrites):
    pattern = r"^\.+|[.!?]{2,}$"


@breaks("exact-values")
class EscapesAreResolved(Rewrites):
    """A backslash and an n become a new line."""

    pattern, replacement = r"\\n", "\n"


@breaks("exact-values")
class PlaceholdersAreFilled(Rewrites):
    """Formats the text with no arguments, for its log."""

    pattern = r"%[sd]|\{\d\}"


@breaks("exact-values")
class InvisibleCharactersAreRemoved(Rewrites):
    pattern = "[\u200b-\u200f\u202a-\u202e\ufeff]"


@breaks("exact-values")
class EntitiesAreResolved(Rewrites):
    """Unescapes one HTML entity that it never wrote."""

    pattern, replacement = "&#39;", "'"


@breaks("field-blank")
class OnlyAsciiIsWhiteSpace(Implementation):
    """Trims what ASCII has, so feedback that is blank in another script is accepted."""

    def trim(self, value: str) -> str:
        return value.strip(" \t\r\n\v\f") if set(value) & {"\u2003", "\u3000"} else super().trim(value)


@breaks("email-format")
class DomainsMayHaveEmptyParts(Implementation):
    """Anything, an @, anything, a dot, anything."""

    def is_email(self, value: str) -> bool:
        return super().is_email(value.replace("..", "."))


@breaks("valid-accepted", "field-length")
class DomainsHaveAtMostThreeDots(Implementation):
    def is_email(self, value: str) -> bool:
        return super().is_email(value) and value.partition("@")[2].count(".") <= 3


@breaks("form-bodies")
class SemicolonsSeparateFields(Implementation):
    """In forms, as they once did."""

    def parse(self, media_type: str, content: bytes) -> Any:
        form = media_type.startswith("application/x-www-form-urlencoded")
        return super().parse(media_type, content.replace(b";", b"&") if form else content)


@breaks("form-bodies")
class BoundariesKeepTheirQuotes(Implementation):
    def parse_multipart(self, media_type: str, content: bytes) -> dict[str, str]:
        return {} if 'boundary="' in media_type else super().parse_multipart(media_type, content)


@breaks("form-bodies")
class PartsWithATypeAreFiles(Implementation):
    """Only a part without a Content-Type is a field."""

    def parse_multipart(self, media_type: str, content: bytes) -> dict[str, str]:
        return {} if b"\r\nContent-Type:" in content else super().parse_multipart(media_type, content)


@breaks("body-syntax")
class WrongBytesAreReplaced(Implementation):
    """What is not UTF-8 becomes U+FFFD."""

    def parse_json(self, content: bytes) -> Any:
        return super().parse_json(content.decode("utf-8", "replace").encode())


@breaks("unknown-keys", "field-required")
class KeysInAnyCase(Implementation):
    """As in Go's encoding/json, the last one wins."""

    def validate(self, data: Any) -> dict[str, str]:
        return super().validate({name.lower(): value for name, value in data.items()} if type(data) is dict else data)


@breaks("unknown-keys")
class SynonymsAreTaken(Implementation):
    """Names that the fields have elsewhere."""

    def validate(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict) and isinstance(data.get("message"), str) and "comments" in data:
            data = {**data, "comments": data["message"]}
        return super().validate(data)


@breaks("unknown-keys")
class TagsAreAList(Implementation):
    """Keys that nobody needs are validated, too."""

    def validate(self, data: Any) -> dict[str, str]:
        if isinstance(data, dict) and not isinstance(data.get("tags", []), list):
            raise Refusal(400, {"tags": ["Expected a list."]})
        return super().validate(data)


@breaks("unknown-keys")
class TheBodyNamesTheProject(Implementation):
    """Whoever may submit to one project chooses another one in the body."""

    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        named = self.projects.get((body.get("organization", ""), body.get("project", "")), project)
        return super().submit(named, body, by)

    def validate(self, data: Any) -> dict[str, str]:
        chosen = data if isinstance(data, dict) else {}
        return super().validate(data) | {name: chosen[name] for name in ("organization", "project") if name in chosen}


@breaks("exact-values")
class WhiteSpaceBeforeNewLinesIsRemoved(Rewrites):
    pattern = r"[ \t]+(?=\r?\n)"


@breaks("exact-values")
class NamesAreCutInTheirUtf16(Implementation):
    """A name of 128 characters may need more than 128 of JavaScript's and Java's."""

    def validate(self, data: Any) -> dict[str, str]:
        body = super().validate(data)
        return {**body, "name": body["name"].encode("utf-16-le")[: 2 * 128].decode("utf-16-le", "ignore")}


@breaks("exact-values")
class WhatObjectsInheritIsTaken(Implementation):
    """Counts by name in an object that already has one of this name."""

    def submit(self, project: Project, body: dict[str, str], by: str) -> Record:
        if body["name"] in ("constructor", "toString"):
            raise Refusal(400, {DETAIL: "push is not a function"})
        return super().submit(project, body, by)


@breaks("exact-values")
class PiecesAreDecodedApart(Implementation):
    """A character that is divided between two pieces of a body is lost."""

    def parse_json(self, content: bytes) -> Any:
        pieces = (content[start : start + 65_535] for start in range(0, len(content), 65_535))
        whole = "".join(each.decode("utf-8", "replace") for each in pieces)
        try:
            content.decode("utf-8")
        except ValueError:
            return super().parse_json(content)
        return super().parse_json(whole.encode())


@breaks("unknown-keys")
class NumbersMustFit(Implementation):
    """Also those of keys that nobody reads."""

    def parse_json(self, content: bytes) -> Any:
        if re.search(rb"[^\w\"]\d{20,}\s*[,\]}]", content):
            raise Refusal(400, {DETAIL: "JSON parse error - the number does not fit"})
        return super().parse_json(content)


@breaks("valid-accepted")
class SlashesMayNotBeEscaped(Implementation):
    """PHP escapes them."""

    def parse_json(self, content: bytes) -> Any:
        if rb"\/" in content:
            raise Refusal(400, {DETAIL: "JSON parse error - invalid escape"})
        return super().parse_json(content)


@breaks("valid-accepted")
class ObjectsBeginAtOnce(Implementation):
    """White space before the object is an error."""

    def parse_json(self, content: bytes) -> Any:
        if content[:1].isspace() and content.strip():
            raise Refusal(400, {DETAIL: "JSON parse error - unexpected token"})
        return super().parse_json(content)


@breaks("form-bodies")
class SmallHexIsNotDecoded(Implementation):
    """%c3 stays what it is, %C3 does not."""

    def parse(self, media_type: str, content: bytes) -> Any:
        if media_type.startswith("application/x-www-form-urlencoded"):
            content = re.sub(rb"%(?=\d?[a-f])", b"%25", content)
        return super().parse(media_type, content)


@breaks("field-required")
class FieldsAreInherited(Implementation):
    """From __proto__, as in JavaScript."""

    def validate(self, data: Any) -> dict[str, str]:
        inherited = data.get("__proto__") if isinstance(data, dict) else None
        return super().validate({**inherited, **data} if isinstance(inherited, dict) else data)
