"""Parsing a body, at each limit and one past it; what is malformed gets a reason that shows none of it."""

from collections.abc import Iterable
from typing import Any

import pytest
from feedback_spec.bodies import (
    MAX_FORM_ESCAPES,
    MAX_FORM_FIELDS,
    PARSERS,
    Unreadable,
    event_ids,
    parse_form,
    parse_json,
    parse_multipart,
    split_media_type,
)

FORM = "application/x-www-form-urlencoded"
MULTIPART_TYPE = "multipart/form-data"
MULTIPART = b"multipart/form-data; boundary=x"
ID = "7167980ca1db42cdba8d5284e7f81c66"


def part(name: str, value: str | bytes, more: str = "") -> bytes:
    content = value if isinstance(value, bytes) else value.encode()
    return b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), more.encode(), content)


def multipart(*parts: bytes) -> dict[str, Any]:
    return parse_multipart(b"".join(parts) + b"--x--\r\n", MULTIPART)


def reason(parse: Any, *given: Any) -> str:
    with pytest.raises(Unreadable) as caught:
        parse(*given)
    return str(caught.value)


# --- media types


@pytest.mark.parametrize(
    ("header", "media_type", "charset"),
    [
        (None, "", None),
        (b"", "", None),
        (b"Application/JSON", "application/json", None),
        (b"  text/plain  ;a=b", "text/plain", None),
        (b"text/plain; charset=UTF-8", "text/plain", "utf-8"),
        (b'text/plain;a=b; Charset = "Latin-1" ; c', "text/plain", "latin-1"),
        (b"text/plain; charset", "text/plain", ""),
        (b"text/plain; charset=X", "text/plain", "x"),
        (b"text/plain; charset=a=b", "text/plain", "a=b"),
        (b"text/plain; charset=a; charset=b", "text/plain", "b"),
        (b"text/plain; xcharset=a", "text/plain", None),
        (b"text/\xe9", "text/\xe9", None),
    ],
)
def test_content_type_is_split(header: bytes | None, media_type: str, charset: str | None) -> None:
    for _ in range(2):  # the second from the cache
        assert split_media_type(header) == ((header or b"").decode("latin-1"), media_type, charset)


@pytest.mark.parametrize(("size", "found"), [(499, 1), (500, 0), (501, 0)])
def test_long_content_types_are_split_but_not_kept(size: int, found: int) -> None:
    """So that the memory they take is bounded."""
    from feedback_spec.bodies import _split_known  # noqa: PLC0415 (nothing else tests the cache)

    header = b"text/plain;".ljust(size, b"a")
    split_media_type(header)
    before = _split_known.cache_info()

    assert split_media_type(header)[1:] == ("text/plain", None)
    assert _split_known.cache_info().hits - before.hits == found
    assert _split_known.cache_info().maxsize is not None


def test_each_media_type_has_its_parser() -> None:
    assert dict(PARSERS) == {"application/json": parse_json, FORM: parse_form, MULTIPART_TYPE: parse_multipart}


# --- JSON


def test_json_is_read_strictly() -> None:
    assert parse_json(b' {"a": [1, null, "\xc3\xa9"]} ') == {"a": [1, None, "\xe9"]}
    assert parse_json(b"[" * 1_024 + b"]" * 1_024)
    for wrong in (b"", b"{", b"NaN", b'"\xff"', b'"\\ud800"', b"[" * 1_025 + b"]" * 1_025):
        with pytest.raises(Unreadable) as caught:
            parse_json(wrong)
        assert str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_reason_says_where_json_is_wrong() -> None:
    assert reason(parse_json, b'{"a":\n !}').endswith(": line 2 column 2 (char 7)")


# --- forms


def test_form_is_read_and_the_last_of_two_counts() -> None:
    assert parse_form(b"a=1&b=%C3%A9+c&a=2&empty=&bare") == {"a": "2", "b": "\xe9 c", "empty": "", "bare": ""}
    assert parse_form(b"") == {}


@pytest.mark.parametrize(
    ("size", "more", "wrong"),
    [
        (MAX_FORM_FIELDS, b"a&", f"the form has more than {MAX_FORM_FIELDS} fields"),
        (MAX_FORM_ESCAPES, b"%", f"the form has more than {MAX_FORM_ESCAPES} escapes"),
    ],
)
def test_form_is_bounded(size: int, more: bytes, wrong: str) -> None:
    assert parse_form((more * size).removesuffix(b"&"))

    assert reason(parse_form, (more * (size + 1)).removesuffix(b"&")) == wrong


def test_bounds_of_forms_are_those_of_the_documentation() -> None:
    assert (MAX_FORM_FIELDS, MAX_FORM_ESCAPES) == (1_000, 150_000)


@pytest.mark.parametrize("body", [b"a=\xff", b"a=%FF", b"%ff=a"])
def test_form_that_is_not_utf8_is_refused(body: bytes) -> None:
    assert reason(parse_form, body) == "the form is not UTF-8 text"


# --- multipart


def test_multipart_form_has_texts_and_files() -> None:
    found = multipart(part("a", "1"), part("b", "\xe9"), part("f", b"\xff", '; filename="x"'), part("a", "2"))

    assert found == {"a": "2", "b": "\xe9", "f": {}}
    assert list(found) == ["a", "b", "f"]


def test_multipart_form_may_come_with_other_headers_in_any_case() -> None:
    other = b"--x\r\nX-Other: 1\r\ncontent-DISPOSITION: form-data; name=a\r\nContent-Type: text/plain\r\n\r\nv\r\n"

    assert multipart(other, part("b", "w")) == {"a": "v", "b": "w"}


def test_headers_of_a_part_are_its_own() -> None:
    nameless = b"--x\r\n\r\nv\r\n"

    assert reason(multipart, part("a", "1"), nameless) == "a part of the multipart body has no name"
    assert multipart(part("f", "", '; filename="x"'), part("a", "1")) == {"f": {}, "a": "1"}


def test_value_may_contain_line_ends_and_anything_but_the_boundary() -> None:
    value = "one\r\n--y\r\n\r\ntwo\n--xy"

    assert multipart(part("a", value)) == {"a": value}


@pytest.mark.parametrize("content_type", [None, b"", b"multipart/form-data", b"multipart/form-data; boundaries=x"])
def test_multipart_form_needs_a_boundary(content_type: bytes | None) -> None:
    body = part("a", "1") + b"--x--"

    assert reason(parse_multipart, body, content_type) == "the multipart media type names no boundary"


def test_multipart_form_that_is_malformed_or_cut_is_refused() -> None:
    malformed, early = "the multipart body is malformed", "the multipart body ends too early"
    for body, expected in (
        (b"nothing", malformed),
        (b"--x\r\nNo header\r\n\r\n1\r\n--x--", malformed),
        (b"", early),
        (part("a", "1"), early),
        (part("a", "1")[:-2], early),
    ):
        assert reason(parse_multipart, body, MULTIPART) == expected


def test_boundary_that_the_parser_does_not_take_is_refused() -> None:
    assert reason(parse_multipart, b"", b"multipart/form-data; boundary=" + b"x" * 5_000)


def test_number_of_parts_is_bounded() -> None:
    one = part("a", "1")
    assert multipart(*[one] * MAX_FORM_FIELDS) == {"a": "1"}

    assert reason(multipart, *[one] * (MAX_FORM_FIELDS + 1)) == (
        f"the multipart body has more than {MAX_FORM_FIELDS} parts"
    )


@pytest.mark.parametrize(
    "wrong", [part("a", b"\xff"), b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\r\n']
)
def test_part_that_is_not_utf8_is_refused(wrong: bytes) -> None:
    assert reason(multipart, wrong) == "a part of the multipart body is not UTF-8 text"


def test_parser_writes_nothing_to_the_log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """It would write what a client sent, byte by byte, at the level of a warning too."""
    with caplog.at_level(0):
        reason(parse_multipart, b"nothing", MULTIPART)

    assert caplog.messages == []
    assert capsys.readouterr().err == ""


# --- the event ids of any body


@pytest.mark.parametrize(
    ("body", "content_type", "ids"),
    [
        (b'{"event_id":"%s"}', "application/json", [ID]),
        (b' {"event_id":"%s"}', "", [ID]),
        (b"event_id=%s", FORM, [ID]),
        (b"event_id=%s", FORM.upper() + "; charset=utf-8", [ID]),
        (b"event_id=%s", "", []),
        (b'{"event_id":"%s"}', FORM, [ID]),
        (b'{}\n{"event_id":"%s"}\nmore\n{"event_id":"' + b"a" * 32 + b'"}', "", [ID, "a" * 32]),
        (b'{\n"event_id":"%s"\n}', "application/json", [ID]),
        (b'{}\n{"event_id": "%s"}', "text/plain", [ID]),
        (b"%.0s{", "application/json", []),
        (b'%.0s{"event_id":1}', "application/json", []),
        (b'%.0s{"other":1}', "application/json", []),
        (b'[{"event_id":"%s"}]', "application/json", []),
        (b"%.0sa=%%FF", FORM, []),
        (b"", "application/json", []),
    ],
)
def test_ids_are_found_in_json_forms_and_envelopes(body: bytes, content_type: str, ids: Iterable[str]) -> None:
    spelled = "-".join((ID[:8].upper(), ID[8:12], ID[12:]))
    filled = body % spelled.encode() if body else body

    assert event_ids(filled, content_type) == {*ids}


def test_ids_are_found_in_multipart_forms() -> None:
    body = part("event_id", ID) + b"--x--"

    assert event_ids(body, MULTIPART.decode()) == {ID}
    assert event_ids(body, "multipart/form-data; boundary=y") == set()
    assert event_ids(body, "multipart/form-data; boundary=\u20ac") == set()


def test_ids_are_looked_for_in_a_thousand_lines() -> None:
    line = b'{"event_id":"%s"}' % ID.encode()

    assert event_ids(b"\n" * 999 + line, "") == {ID}
    assert event_ids(b"a\n" * 999 + line, "") == {ID}
    assert event_ids(b"a\n" * 1_000 + line, "") == set()
    assert event_ids(line + b"\na" * 1_001, "") == {ID}
