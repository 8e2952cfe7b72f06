"""An unsupported document is refused in one sentence: file, place, cause."""

import re
from pathlib import Path

import pytest
from feedback_spec.document import load, load_control
from feedback_spec.source import DocumentError

TEXT = (Path(__file__).parents[2] / "spec" / "openapi.yaml").read_text("utf-8")


def refusal(path: Path) -> str:
    """The sentence with which the document at `path` is refused."""
    with pytest.raises(DocumentError) as caught:
        load(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"{path}: ")
    return sentence.removeprefix(f"{path}: ")


def changed(tmp_path: Path, *replacements: tuple[str, str]) -> Path:
    """A copy of the document in which each text, which must exist, is replaced at its first place."""
    text = TEXT
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "changed.yaml"
    path.write_text(text, "utf-8")
    return path


def test_packaged_documents_load() -> None:
    assert load().submit.method == "post"
    assert "/_control/health" in load_control()["paths"]


def test_unchanged_copy_loads_like_the_packaged_document(tmp_path: Path) -> None:
    assert load(changed(tmp_path)).openapi == load().openapi


def test_missing_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.yaml") == "cannot be read: No such file or directory."


def test_directory(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "cannot be read: Is a directory."


def test_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"paths: \xe4")

    assert refusal(path) == "is not UTF-8 text (byte 7)."


@pytest.mark.parametrize("text", ["", "[]", "null", "openapi: 3.0.3", "paths: []", "just words"])
def test_file_that_is_no_openapi_document(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(text)

    assert refusal(path) == "is not an OpenAPI document: it has no `paths`."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("paths: {", r"line \d, column \d+: is not YAML: .+"),
        ("paths:\n\tx: 1", r"line 2, column 1: is not YAML: .+"),
        ("paths: {}\nx: *nowhere", r"line 2, column 4: is not YAML: .+"),
        ("paths: {}\n1: [\n", r".*is not YAML: .+"),
        ("paths: {}\npaths: {}", r'line 2, column 1: the key "paths" appears here twice\.'),
        ("paths: {}\n? [a, b]\n: 1", r"line 2, column 3: a key that is not a string\."),
        ("a: \x07", r".*is not YAML: .+"),
        ("[" * 5_000, r"line 1, column 101: more than 50,000 values or 100 levels, with aliases expanded\."),
    ],
)
def test_file_that_is_not_yaml(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)

    assert re.fullmatch(sentence, refusal(path))


def test_document_without_the_submit_operation(tmp_path: Path) -> None:
    path = changed(tmp_path, ("operationId: submitUserFeedback", "operationId: submit"))

    assert refusal(path) == "paths: there is no operation with the operationId submitUserFeedback."


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        pytest.param(
            "            limit: PT30M",
            "            limit: half an hour",
            r'x-mutability\.windows\[0\]\.limit: "half an hour" is not an ISO 8601 duration such as .+',
            id="duration that is none",
        ),
        pytest.param(
            "event_saved_ago: PT30M0.000001S",
            "event_saved_ago: PT30M0,000001S",
            r'x-mutability\.examples\[2\]\.event_saved_ago: "PT30M0,000001S" is not an ISO 8601 duration .+',
            id="duration of a row that is none",
        ),
        pytest.param(
            "            limit: PT30M",
            "            limt: PT30M",
            r'x-mutability\.windows\[0\]: "limt" is not a key here; did you mean "limit" or "at_limit"\?',
            id="unknown key in a window",
        ),
        pytest.param(
            "      x-mutability:",
            "      x-mutabilty:",
            r'/paths/.+/post: "x-mutabilty" is not a key here; did you mean "x-mutability"\?',
            id="misspelt extension",
        ),
        pytest.param(
            "required: [event_id, name, email, comments]",
            "required: [event_id, email, comments]",
            r'submitUserFeedback: the schema of its JSON body must have "name" as a required property\.',
            id="field that is not required",
        ),
        pytest.param(
            "  - id: response-schema",
            "  - colour: blue\n    id: response-schema",
            r'x-rules\[1\]: "colour" is not a key here\.',
            id="unknown key in a rule",
        ),
        pytest.param(
            "            outcome: stored",
            "            outcome: kept",
            r'x-mutability\.examples\[0\]\.outcome: "kept" is not one of .+',
            id="unknown outcome",
        ),
        pytest.param(
            "            at_limit: accepted",
            "            at_limit: perhaps",
            r'x-mutability\.windows\[0\]\.at_limit: "perhaps" is not one of .+',
            id="unknown answer at the limit",
        ),
        pytest.param(
            "from: event.saved",
            "from: event.seen",
            r'x-mutability\.windows\[0\]\.from: "event\.seen" is not one of .+',
            id="unknown base",
        ),
        pytest.param(
            "            status: 409",
            "            status: 418",
            r"x-mutability\.windows\[0\]\.status: the operation submitUserFeedback declares no response 418\.",
            id="undeclared status of a window",
        ),
        pytest.param(
            "overwritten: {rule: overwrite, status: 200}",
            "overwritten: {rule: overwrite, status: 201}",
            r"x-mutability\.outcomes\.overwritten\.status: the operation submitUserFeedback declares no response 201\.",
            id="undeclared status of an outcome",
        ),
        pytest.param(
            "stored: {rule: submission, status: 200}",
            "stored: {rule: submision, status: 200}",
            r'x-mutability\.outcomes\.stored\.rule: the catalogue x-rules has no rule "submision"; did you mean .+\?',
            id="unknown rule",
        ),
        pytest.param(
            "order: [event-window, overwrite-window]",
            "order: [event-window]",
            r"x-mutability\.order: must name each window once: event-window, overwrite-window\.",
            id="order without a window",
        ),
        pytest.param(
            "needs: [aged-event, clock]",
            "needs: [aged-events, clock]",
            r'x-rules\[9\]\.needs: there is no capability "aged-events"; did you mean "aged-event" or "event"\?',
            id="unknown capability",
        ),
        pytest.param(
            "    group: windows",
            "    group: time",
            r'x-rules\[9\]\.group: there is no group "time"; there are "credentials", "fields", .+ and "windows"\.',
            id="unknown group",
        ),
        pytest.param(
            "  - id: response-schema",
            "  - id: submission",
            r'x-rules\[1\]: the rule "submission" is defined twice\.',
            id="two rules with one id",
        ),
        pytest.param(
            "            event_saved_ago: PT30M\n            outcome: stored\n            status: 200",
            "            event_saved_ago: PT30M\n            outcome: refused\n            status: 409",
            r"x-mutability\.examples\[1\]: says refused with 409, but the windows make it stored with 200; .+",
            id="contradicting row",
        ),
        pytest.param(
            "            limit: PT5M",
            "            limit: PT4M",
            r"x-mutability\.examples\[\d+\]: says overwritten with 200, but the windows make it refused with 409; .+",
            id="limit that its rows contradict",
        ),
        pytest.param(
            "refusal: {status: 409, example: conflict}",
            "refusal: {status: 401, example: no-credentials}",
            r'x-mutability\.windows\[0\]\.status: the rule "event-window" must refuse with 409 as well\.',
            id="window and rule with two statuses",
        ),
        pytest.param(
            "refusal: {status: 413, example: too-large}",
            "refusal: {status: 418, example: too-large}",
            r'x-rules "body-size"\.refusal: no operation declares a response 418\.',
            id="refusal with an undeclared status",
        ),
        pytest.param(
            "refusal: {status: 409, example: conflict}",
            "refusal: {status: 409, example: clash}",
            r'x-rules "event-window"\.refusal: no response 409 has an example "clash"; there is "conflict"\.',
            id="refusal with an unknown example",
        ),
        pytest.param(
            "            spoken: 5 minutes",
            "            spoken: 30 minutes",
            r'x-mutability\.windows: two windows of different lengths are both spoken of as "30 minutes"\.',
            id="two windows spoken of alike",
        ),
        pytest.param(
            "at most {within} for a response",
            "at most a minute for a response",
            r'x-client-rules\[\d+\]\.rule: must state the limit "within", by its name in braces\.',
            id="limit that the wording of its rule does not state",
        ),
        pytest.param(
            "at most {within} for a response",
            "at most {witin} for a response",
            r'x-client-rules\[\d+\]\.rule: "witin" in braces is not a limit of the rule; did you mean "within"\?',
            id="wording with an unknown limit",
        ),
    ],
)
def test_document_that_cannot_be_honoured(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert re.fullmatch(sentence, refusal(changed(tmp_path, (old, new))))


def test_window_without_a_row_that_shows_it(tmp_path: Path) -> None:
    """A boundary is data plus a literal example: a window whose refusal no row shows is no rule."""
    path = tmp_path / "changed.yaml"
    case = r"          - case: [^\n]+\n(?:            [^\n]+\n)+?"
    rows = re.compile(case + r"            outcome: refused\n[^\n]+\n            rule: overwrite-window\n")
    path.write_text(rows.sub("", TEXT), "utf-8")

    assert (
        refusal(path)
        == 'x-mutability.examples: no row shows the rule "overwrite-window" where a submission is refused.'
    )


def test_texts_follow_a_limit_that_was_changed_alone(tmp_path: Path) -> None:
    path = tmp_path / "changed.yaml"
    path.write_text(TEXT.replace("PT30M", "PT10M"), "utf-8")

    document = load(path)

    assert "no more than 10 minutes after the event was saved" in document.submit.description
    assert "up to and including 10 minutes" in document.rules["event-window"].rule
    assert "within 5 minutes of submitting" in document.submit.description


def test_rules_for_clients_state_their_limits(tmp_path: Path) -> None:
    document = load(changed(tmp_path, ("at_most: 10\n    within: PT1S", "at_most: 7\n    within: PT90S")))

    pace = document.client_rules["retry-pace"]
    assert pace.rule.rule == "The same feedback is sent at most 7 times within 1 minute 30 seconds."
    assert (pace.at_most, pace.within) == (7, 90_000_000)


def test_dates_stay_the_texts_that_they_are(tmp_path: Path) -> None:
    document = load(changed(tmp_path, ("'2020-03-22T20:58:25.390616Z'", "2020-03-22T20:58:25.390616Z")))

    assert document.openapi == load().openapi
