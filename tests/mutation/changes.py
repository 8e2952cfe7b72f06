"""Every change that cosmic-ray and mutmut can make in a source text. Runs nothing and writes no file."""

import ast
import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial, reduce
from hashlib import sha256
from textwrap import dedent, indent

import libcst
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from mutmut.mutation.mutators import mutation_operators

TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\w+|[^\w\s"'(),{}\[\]]+|\S""")

OUTSIDE = "module"


@dataclass(frozen=True)
class Change:
    """One changed source text: the tool's operator, the function that it is in, and the lines before and after.

    `source` is the whole text, `piece` what changed in it: a function, or all that is outside of functions. `was` and
    `now` have no indentation or line ends; `old` and `new` are their differences, so all of them still match when code
    around them moves.
    """

    operator: str
    where: str
    was: str
    now: str
    source: str = field(repr=False)
    piece: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.where} ({self.operator})\n  - {self.was}\n  + {self.now}\n "

    @property
    def key(self) -> str:
        """The same for the same change of the same function, whatever else there is."""
        return sha256(f"{self.where}\n{self.piece}".encode()).hexdigest()[:16]

    @property
    def old(self) -> str:
        """The text replaced by `new`: whole words, strings and operators."""
        return self._parts()[0]

    @property
    def new(self) -> str:
        """The text that replaces `old`."""
        return self._parts()[1]

    def _parts(self) -> tuple[str, str]:
        was, now = TOKEN.findall(self.was), TOKEN.findall(self.now)
        before = next((n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
        rest = list(zip(reversed(was[before:]), reversed(now[before:]), strict=False))
        after = next((n for n, (a, b) in enumerate(rest) if a != b), len(rest))
        return " ".join(was[before : len(was) - after]), " ".join(now[before : len(now) - after])


@dataclass(frozen=True)
class Piece:
    """A function with its decorators, or all that is outside of functions, as a program: the tools parse it per change.

    `where` is its dotted name; `module` is outside of all.
    """

    where: str
    source: str
    whole: Callable[[str], str] = field(repr=False)
    """The whole text, with this in place of the piece."""


@dataclass(frozen=True)
class Candidate:
    """A change of a piece that an operator offers and that has not been made yet."""

    operator: str
    piece: Piece
    make: Callable[[], str | None] = field(repr=False)


def candidates(source: str) -> list[Candidate]:
    """What both tools offer, piece by piece. Many are duplicates or change nothing that runs."""
    return [each for piece in _pieces(source) for each in (*_by_mutmut(piece), *_by_cosmic_ray(piece))]


def changes(offered: Iterable[Candidate]) -> Iterator[Change]:
    """The offered changes, except those that do not parse, change only annotations or docstrings, or are duplicates."""
    seen: dict[str, set[str | None]] = {}
    for candidate in offered:
        piece, changed = candidate.piece, candidate.make()
        alike = seen.setdefault(piece.source, {None, _what_runs(piece.source)})
        if changed is None or (what_runs := _what_runs(changed)) in alike:
            continue
        alike.add(what_runs)
        was, now, line = _difference(piece.source, changed)
        where = piece.where if piece.where != OUTSIDE else _where(piece.source, line)
        yield Change(candidate.operator, where, was, now, piece.whole(changed), changed)


def _pieces(source: str) -> Iterator[Piece]:
    """Every function that is not in another one, and the rest, in which a name stands for each of them."""
    lines = source.splitlines(keepends=True)
    functions = list(_functions(ast.parse(source).body, ()))
    rest, texts, end = "", dict[str, str](), 0
    for number, (where, start, stop) in enumerate(functions):
        text = "".join(lines[start:stop])
        name = f"{' ' * (len(text) - len(text.lstrip()))}function_{number}\n"
        rest, texts[name], end = rest + "".join(lines[end:start]) + name, text, stop
        yield Piece(
            where, dedent(text), partial(_with, lines[:start], name[: len(name) - len(name.lstrip())], lines[stop:])
        )
    rest += "".join(lines[end:])
    yield Piece(OUTSIDE, rest, lambda changed: reduce(lambda text, each: text.replace(*each), texts.items(), changed))


def _functions(body: Iterable[ast.stmt], names: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Dotted name, first line and line behind the last, from 0."""
    for each in body:
        if isinstance(each, ast.ClassDef):
            yield from _functions(each.body, (*names, each.name))
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([each.lineno, *(one.lineno for one in each.decorator_list)])
            yield ".".join((*names, each.name)), first - 1, each.end_lineno or first


def _with(before: list[str], margin: str, after: list[str], changed: str) -> str:
    return "".join([*before, indent(changed, margin), *after])


def _by_mutmut(piece: Piece) -> list[Candidate]:
    module = libcst.parse_module(piece.source)
    found: list[Candidate] = []

    class Collector(libcst.CSTVisitor):
        def on_visit(self, node: libcst.CSTNode) -> bool:
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    found.extend(_replacing(piece, module, operator.__name__, node, new) for new in operator(node))
            return True

    module.visit(Collector())
    return found


def _replacing(
    piece: Piece, module: libcst.Module, operator: str, old: libcst.CSTNode, new: libcst.CSTNode
) -> Candidate:
    def make() -> str | None:
        changed = module.deep_replace(old, new)
        return changed.code if isinstance(changed, libcst.Module) else None

    return Candidate(operator.removeprefix("operator_").replace("_", "-"), piece, make)


def _by_cosmic_ray(piece: Piece) -> Iterator[Candidate]:
    nodes = list(ast_nodes(get_ast(piece.source)))
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():  # names of variables, which nobody chose
            continue
        operator = kind()
        for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in nodes)):
            make = partial(mutate_code, piece.source, operator, occurrence)
            yield Candidate(name.removeprefix("core/").partition("_")[0], piece, make)


def _what_runs(source: str) -> str | None:
    """The program without docstrings and annotations; None if it is not a program."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                node.returns = None
            case ast.arg():
                node.annotation = None
            case ast.AnnAssign():
                node.annotation = ast.Constant(None)
            case ast.Expr(value=ast.Constant(value=str())):
                node.value = ast.Constant("")
    return ast.dump(tree)


def _difference(source: str, changed: str) -> tuple[str, str, int]:
    """The lines that differ, before and after, and the number of the first of them in the source."""
    before, after = source.splitlines(), changed.splitlines()
    codes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    (_, start, _, start_after, _), *_ = blocks = [each for each in codes if each[0] != "equal"]
    _, _, end, _, end_after = blocks[-1]
    return _joined(before[start:end]), _joined(after[start_after:end_after]), start + 1


def _joined(lines: list[str]) -> str:
    return " ".join(each.strip() for each in lines)


def _where(source: str, line: int) -> str:
    """The dotted name of the innermost function or class around a line; `module` outside of all."""
    names: list[str] = []
    level: list[ast.stmt] = ast.parse(source).body
    while inner := next(
        (
            each
            for each in level
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and each.lineno <= line <= (each.end_lineno or line)
        ),
        None,
    ):
        names.append(inner.name)
        level = inner.body
    return ".".join(names) or OUTSIDE
