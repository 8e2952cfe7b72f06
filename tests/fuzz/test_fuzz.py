"""A sample of `make fuzz`, the same each time, and what it has found."""

from collections.abc import Iterator
from typing import Any

import pytest
from feedback_spec.document import load_control
from feedback_spec.operations import Operation

from tests.fuzz.bodies import bodies
from tests.fuzz.connections import check
from tests.fuzz.inputs import CONTROL
from tests.fuzz.kinds import Kind, kinds
from tests.fuzz.running import batch
from tests.fuzz.schemas import run
from tests.fuzz.streams import Seen, Stream, read, statuses

CASES = {
    "bytes on a socket": 250,
    "envelopes and compressed bodies": 100,
    "submissions and lists": 100,
    "control, faults and snapshots": 250,
    "histories of all of them": 60,
    "documents": 25,
}
VARIANTS = 5
ANSWER = b"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n."


@pytest.fixture(scope="module")
def judged() -> Iterator[dict[str, Kind]]:
    with kinds() as found:
        yield found


@pytest.mark.parametrize("kind", CASES)
def test_random_input_breaks_nothing(judged: dict[str, Kind], kind: str) -> None:
    assert judged.keys() == CASES.keys()
    assert batch(judged[kind], 1, CASES[kind], VARIANTS) >= CASES[kind]


def paths(value: Any) -> Iterator[tuple[str, ...]]:
    """The paths of all properties in JSON data; lists are no part of them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (name,)
            yield from ((name, *rest) for rest in paths(inner))
    elif isinstance(value, list):
        for each in value:
            yield from paths(each)


def declared(schema: Any) -> Iterator[tuple[str, ...]]:
    """The same for all properties in a schema without references to itself."""
    if "$ref" in schema:
        schema = load_control()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, inner in schema.get("properties", {}).items():
        yield (name,)
        yield from ((name, *rest) for rest in declared(inner))
    for inner in (
        *schema.get("anyOf", ()),
        *schema.get("allOf", ()),
        *([schema["items"]] if "items" in schema else []),
    ):
        yield from declared(inner)


@pytest.mark.parametrize("operation", [each for each in CONTROL.values() if each.body], ids=lambda each: each.id)
def test_bodies_that_are_changed_have_every_property(operation: Operation) -> None:
    assert operation.body is not None
    schemas = [each.schema for each in operation.body.content.values()]

    assert {path for each in schemas for path in declared(each)} - set(paths(bodies(operation))) == set()


def test_schemathesis_finds_nothing_in_the_control_protocol() -> None:
    """The verifier covers the feedback document; `make fuzz` tests all three for longer."""
    cases, found = run("control.yaml", 1, 1, "examples,fuzzing")

    assert (cases > 50, found) == (True, [])


@pytest.mark.parametrize(
    ("content", "seen", "answers"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", ["/"], ANSWER, id="no Host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", ["/"], ANSWER, id="a blank before the colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ["/"], ANSWER[:-1], id="an answer that is cut"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ["/"], ANSWER.replace(b"404", b"500"), id="a server error"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ["/other"], ANSWER, id="another target"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ["/"], ANSWER * 2, id="an answer too many"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", [], b"", id="a sound request that is not taken"),
    ],
)
def test_judge_of_streams_sees(content: bytes, seen: list[str], answers: bytes) -> None:
    with pytest.raises(AssertionError):
        check(Stream((content,), 1), read(content), [Seen("GET", each) for each in seen], answers)


def test_requests_and_answers_are_read_as_rfc_9112_has_them() -> None:
    first, second = b"HEAD  / HTTP/1.1\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n."
    last = b"GET / HTTP/1.0\r\n\r\n"

    assert [(each.method, each.body) for each in read(first + second + last * 2)] == [
        ("HEAD", b""),
        ("POST", b"."),
        ("GET", b""),
    ]
    assert statuses(ANSWER[:-1] + ANSWER, ["HEAD", "POST"]) == [404, 404]
