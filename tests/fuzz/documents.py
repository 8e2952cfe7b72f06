"""Documents near a valid one, as data and as text: accepted, or refused in one sentence. Fetches nothing."""

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

from feedback_mock.app import create_app
from feedback_spec.document import Document, document_of, load, load_control
from feedback_spec.documentation.build import built_files
from feedback_spec.source import DocumentError
from hypothesis import strategies as st

from tests.fuzz.changes import changed

TEXT = (Path(__file__).parents[2] / "spec/openapi.yaml").read_text("utf-8")
T = TypeVar("T")
NEAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**40),
    st.sampled_from(["", "x", "PT30M", "409", "a\nb", "#/components/schemas/Problem", "event-window", "(", "é\0"]),
    st.sampled_from([[], {}, [{}], [[]], {"x": {}}, {"$ref": "#/components/schemas/Problem"}, {"type": "string"}]),
)
YAML = (
    "&a [*a]",
    "*a",
    "!!python/name:os.system",
    "<<: {}",
    "? [a]: b",
    "- x",
    "- &x [1]",
    "%TAG ! a",
    "---",
    "\t",
    "\0",
    "|",
    "{",
)


def documents() -> st.SearchStrategy[Any]:
    """A changed document, or the text of one."""
    return changed(load().openapi, NEAR, most=3) | _texts()


@st.composite
def _texts(draw: st.DrawFn) -> str:
    lines = TEXT.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("drop", "repeat", "deeper", "yaml", "cut"))):
            case "drop":
                del lines[place]
            case "repeat":
                lines.insert(place, lines[place])
            case "deeper":
                lines[place] = draw(st.sampled_from((" ", "  ", "- "))) + lines[place]
            case "yaml":
                lines[place] += draw(st.sampled_from((" ", ": ", "\n"))) + draw(st.sampled_from(YAML))
            case "cut":
                lines[place] = lines[place][: draw(st.integers(0, len(lines[place])))]
    return "\n".join(lines)


def judge_document(given: Any) -> None:
    """Loads it, and serves and renders it; raises AssertionError for anything but a sentence."""
    said: list[str] = []
    loaded = _refusing(said, lambda: _loaded(given))
    if loaded is not None:
        _refusing(said, lambda: create_app(loaded))
        _refusing(said, lambda: built_files(loaded, load_control()))
    assert [each for each in said if "\n" in each or len(each) > 1_000] == []


def _refusing(said: list[str], use: Callable[[], T]) -> T | None:
    try:
        return use()
    except DocumentError as error:
        said.append(str(error))
        return None


def _loaded(given: Any) -> Document:
    if not isinstance(given, str):
        return document_of("changed", given)
    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(given)
        file.flush()
        return load(Path(file.name))
