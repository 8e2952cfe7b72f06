"""A document passed with `--spec` results in one sentence at worst: no traceback, no fetching, no hang."""

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from feedback_spec.document import load, load_control
from feedback_spec.documentation.build import built_files
from feedback_spec.documentation.check import findings
from feedback_spec.documentation.cli import main
from feedback_spec.source import MAX_BYTES, DocumentError

OPENAPI = load().openapi
PATH = next(iter(OPENAPI["paths"]))
NAME = ("components", "schemas", "UserFeedbackSubmission", "properties", "name")
BOMB = "\n".join(["x-0: &a0 [x]", *(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))])
DOUBLING = "\n".join(["x-0: &a0 {k: x}", *(f"x-{n}: &a{n} {{a: *a{n - 1}, b: *a{n - 1}}}" for n in range(1, 40))])
MERGING = "\n".join(["x-0: &a0 {k: x}", *(f"x-{n}: &a{n} {{<<: [*a{n - 1}]}}" for n in range(1, 40))])


def written(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "openapi.yaml"
    path.write_text(document if isinstance(document, str) else json.dumps(document, ensure_ascii=False), "utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        load(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence.removeprefix(f"{path}: ")


def changed(value: Any, *steps: str) -> dict[str, Any]:
    """The document with `value` at this place."""
    document: dict[str, Any] = copy.deepcopy(OPENAPI)
    node: Any = document
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = value
    return document


@pytest.mark.parametrize(
    ("yaml_text", "sentence"),
    [
        pytest.param("paths: " + "[" * 100_000 + "]" * 100_000, "more than 50,000 values or 100 levels", id="nested"),
        pytest.param(f"paths: {{}}\n{BOMB}", "more than 50,000 values or 100 levels", id="nested aliases"),
        pytest.param(f"paths: {{}}\n{DOUBLING}", "more than 50,000 values or 100 levels", id="doubling maps"),
        pytest.param(f"paths: {{}}\n{MERGING}", "merge keys (`<<`) are not supported", id="merged maps"),
        pytest.param("paths: {}\nx: &a [*a]", "an alias that contains itself, which never ends", id="endless alias"),
        pytest.param("paths: {}\nx: !!binary aGk=", "the tag binary, which JSON does not have", id="a tag"),
        pytest.param("paths: {}\nx: !!python/name:os.system", "the tag os.system, which", id="a tag of Python"),
        pytest.param("paths: {}\nx: !!bool maybe", "a value does not fit the tag before it", id="a tag that lies"),
        pytest.param(f"paths: {{}}\nx: {'9' * 5_000}", "too many digits", id="a number without end"),
        pytest.param(
            f"paths: {{}}\nx: 0x{'f' * 257}", "the number 0xfff", id="an integer that is larger than every float"
        ),
        pytest.param(f"paths: {{}}\nx: 1{':1' * 300}.5", "too many digits", id="a float of too many sixties"),
        pytest.param("paths: {}\nx: .nan", "the number .nan, which JSON cannot carry", id="not a number"),
        pytest.param("#" * (MAX_BYTES + 1), "is larger than 1,048,576 bytes", id="too large a file"),
    ],
)
def test_yaml_without_end_is_refused(tmp_path: Path, yaml_text: str, sentence: str) -> None:
    assert sentence in refusal(written(tmp_path, yaml_text))


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        (
            "file:///etc/hostname",
            'the `$ref` "file:///etc/hostname" leaves the document; use one that begins with #/.',
        ),
        ("other.yaml#/components", 'the `$ref` "other.yaml#/components" leaves the document;'),
        ("#", 'the `$ref` "#" leaves the document;'),
        (
            "#/components/schemas/UserFeedbak",
            'does not name a schema; did you mean "#/components/schemas/UserFeedback"',
        ),
        ("#/components/responses/Conflict", 'the `$ref` "#/components/responses/Conflict" does not name a schema;'),
        ("#/components/schemas/Issue/nullable", "does not name a schema;"),
        ("#/components/schemas/Loop", 'the `$ref` "#/components/schemas/Loop" leads back to itself.'),
    ],
)
def test_reference_that_cannot_be_followed_is_refused(tmp_path: Path, reference: str, sentence: str) -> None:
    document = changed({"$ref": "#/components/schemas/Loop"}, "components", "schemas", "Loop")
    document["components"]["schemas"]["UserFeedback"]["properties"]["issue"] = {"$ref": reference}
    if "Loop" not in reference:
        del document["components"]["schemas"]["Loop"]

    assert sentence in refusal(written(tmp_path, document))


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server's address, and the paths requested from it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("key", ["$ref", "$schema", "$id", "$dynamicRef"])
@pytest.mark.parametrize("command", ["build", "page", "check"])
def test_nothing_is_fetched(tmp_path: Path, key: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with listening() as (address, asked):
        document = changed({key: f"{address}/schema"}, "components", "schemas", "UserFeedbackSubmission")
        out = ["--out", str(tmp_path / "out")] if command == "build" else []
        status = main([command, *out, "--spec", str(written(tmp_path, document))])

    assert status == (1 if command == "check" else 2)
    assert asked == []
    assert "schemas/UserFeedbackSubmission" in "".join(capsys.readouterr()).replace(".", "/")


@pytest.mark.parametrize("pattern", ["^(?=a)b$", r"^(a)\1$", "(?<!a)b"])
def test_pattern_that_only_a_backtracking_engine_runs_is_refused(tmp_path: Path, pattern: str) -> None:
    steps = ("components", "schemas", "UserFeedbackSubmission", "properties", "name", "pattern")

    assert "is not a regular expression that runs in linear time" in refusal(
        written(tmp_path, changed(pattern, *steps))
    )


def test_pattern_that_takes_exponential_time_elsewhere_takes_none_here(tmp_path: Path) -> None:
    """In Python's `re`, this would practically never end."""
    document = changed("^(a+)+$", *NAME, "pattern")
    document["components"]["schemas"]["UserFeedbackSubmission"]["properties"]["name"]["default"] = "a" * 60 + "!"

    sentences = [each.sentence for each in findings(written(tmp_path, document)) if not each.good]

    assert any("name/default" in each for each in sentences)


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0b", "\U0001f600"])
def test_header_example_that_no_header_can_carry_is_refused(tmp_path: Path, value: str) -> None:
    document = changed(value, "components", "headers", "X-Frame-Options", "example")

    assert "contains a character that is not allowed in a header" in refusal(written(tmp_path, document))


def test_example_that_is_not_an_object_is_refused_where_one_is_shown(tmp_path: Path) -> None:
    steps = ("paths", PATH, "post", "requestBody", "content", "application/json", "examples")
    document = load(written(tmp_path, changed({"page": {"value": None}}, *steps)))

    with pytest.raises(DocumentError, match="lacks something that the reference shows: an example of a submission"):
        built_files(document, load_control())


@pytest.mark.parametrize(("value", "sentence"), [(None, "null is not of type"), ([], "[] has less than 1 item")])
def test_extension_of_any_operation_is_checked(tmp_path: Path, value: Any, sentence: str) -> None:
    """Not only of the one that the windows belong to."""
    told = refusal(written(tmp_path, changed(value, "paths", PATH, "get", "x-scopes")))

    assert "get: x-scopes: " in told
    assert sentence in told


def test_name_of_a_header_that_is_none_is_refused(tmp_path: Path) -> None:
    document = changed(
        {"schema": {"type": "string"}}, "paths", PATH, "post", "responses", "200", "headers", "X: y\r\nZ"
    )

    assert 'X: y\\r\\nZ" is not the name of a header.' in refusal(written(tmp_path, document))
