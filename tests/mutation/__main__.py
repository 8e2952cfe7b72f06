"""`make mutation`: runs the verifier on every changed server, and reports what went undetected without a reason.

Exit code 1 if anything did, if an excused change was detected after all, if nothing forces a rule, or if too few were
detected; 2 if it was stopped: the next run continues from there.
"""

import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TypeVar

import click
from feedback_spec.document import load
from feedback_spec.source import read
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutation.campaign import Campaign, Memory, judge_all
from tests.mutation.changes import Candidate, Change, candidates, changes
from tests.mutation.documents import DocumentChange, document_changes
from tests.mutation.judging import code_task, document_task, record
from tests.mutation.report import as_markdown, matrix
from tests.mutation.survivors import Reasons, read_reasons, unused

ROOT = Path(__file__).parents[2]
TARGET = 0.97
SERVER = ROOT / "tests" / "broken" / "server.py"
SURVIVORS = Path(__file__).parent / "survivors.toml"
PAGE = ROOT / "docs" / "mutation.md"
MEMORY = ROOT / "build" / "mutation.jsonl"
C = TypeVar("C", Change, DocumentChange)
SOURCES = ("contract_tests/feedback_verify", "spec")  # with the server, what makes a survivor worth another try


@click.command()
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="How many servers at the same time.")
@click.option("--write", is_flag=True, help="Write docs/mutation.md anew, also of a part.")
def main(jobs: int, write: bool) -> None:
    """Run the verifier on every server with one change; changes recorded in build/mutation.jsonl are not tested
    again.
    """
    console, reasons = Console(), read_reasons(SURVIVORS)
    code, documents, found = Campaign(), Campaign(), list[str]()
    MEMORY.parent.mkdir(exist_ok=True)
    memory = Memory(MEMORY, verifier())
    made, documents_made = list(changes(offered_code())), all_documents()
    try:
        with tempfile.TemporaryDirectory() as folder:
            record(SERVER.read_text("utf-8"), Path(folder))
            task_of = partial(code_task, reasons=reasons, stories=Path(folder))
            for explained in (False, True):  # first what a campaign is about
                shown = track(such(documents_made, reasons, explained), "documents", console=console)
                judge_all(documents, shown, document_task, reasons, jobs, memory)
                shown_code = track(such(made, reasons, explained), "code", console=console)
                judge_all(code, shown_code, task_of, reasons, jobs, memory)
        found = shortcomings(code, documents, reasons)
    except KeyboardInterrupt:
        console.print(f"Stopped. The next run goes on from there: {MEMORY.relative_to(ROOT)} has what was judged.")
    left = len(made) + len(documents_made) - len(code.judged) - len(documents.judged)
    if write:
        PAGE.write_text(as_markdown(code, documents, left), "utf-8")
    for sentence in (*code.problems, *documents.problems, *found):
        click.echo(sentence)
    console.print(table(code, documents))
    if left:
        sys.exit(2)
    sys.exit(1 if found or code.problems or documents.problems else 0)


def offered_code(seed: str = "") -> list[Candidate]:
    """Every change of the second implementation, in arbitrary order, so that the first ones are of all kinds."""
    offered = candidates(SERVER.read_text("utf-8"))
    Random(seed).shuffle(offered)
    return offered


def such(made: Iterable[C], reasons: Reasons, explained: bool) -> list[C]:
    """The changes with or without a reason for going undetected."""
    return [each for each in made if (reasons.of(each) is not None) is explained]


def all_documents(seed: str = "") -> list[DocumentChange]:
    """Every change of the document, also in arbitrary order."""
    found = list(document_changes(read(None, "openapi.yaml")[1]))
    Random(seed).shuffle(found)
    return found


def verifier() -> str:
    """The same for the same verifier, documents and correct server."""
    files = sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".yaml"))
    return sha256(b"".join(path.read_bytes() for path in (SERVER, *files))).hexdigest()[:16]


def table(code: Campaign, documents: Campaign) -> Table:
    """How many ended in which way."""
    shown = Table("", "code", "documents")
    for end in {**code.fates, **documents.fates}:
        shown.add_row(end, str(code.fates[end]), str(documents.fates[end]))
    shown.add_row("seen, of those that count", f"{code.share:.1%}", f"{documents.share:.1%}")
    return shown


def shortcomings(code: Campaign, documents: Campaign, reasons: Reasons) -> list[str]:
    """Problems that only a complete run can show."""
    made = [each.change for each in code.judged if isinstance(each.change, Change)]
    rows = matrix(load().verifiable, [*code.judged, *documents.judged])
    few = [each for each in (code, documents) if each.share < TARGET]
    return [
        *(f"No change fits the reason any more: {each}" for each in unused(reasons.code, made)),
        *(f"Nothing forces the rule {row.rule}." for row in rows if not row.forced),
        *(f"Only {each.share:.1%} of {len(each.judged)} were seen; the target is {TARGET:.0%}." for each in few),
    ]


if __name__ == "__main__":
    main()
