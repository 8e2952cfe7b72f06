"""Every change that cosmic-ray and mutmut can make in a source text. Runs nothing and writes no file."""

import ast
import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import libcst
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from mutmut.mutation.mutators import mutation_operators

TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\w+|[^\w\s"'(),{}\[\]]+|\S""")


@dataclass(frozen=True)
class Change:
    """One changed source text: the tool's operator, the function that it is in, and the lines before and after.

    `was` and `now` have no indentation or line ends; `old` and `new` are their differences, so all of them still match
    when code around them moves.
    """

    operator: str
    where: str
    was: str
    now: str
    source: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.where} ({self.operator})\n  - {self.was}\n  + {self.now}\n "

    @property
    def key(self) -> str:
        """The same for the same text."""
        return sha256(self.source.encode()).hexdigest()[:16]

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
class Candidate:
    """A change that an operator offers and that has not been made yet."""

    operator: str
    make: Callable[[], str | None] = field(repr=False)


def candidates(source: str) -> list[Candidate]:
    """What both tools offer, in the order of their operators. Many are duplicates or change nothing that runs."""
    return [*_by_mutmut(source), *_by_cosmic_ray(source)]


def changes(source: str, offered: Iterable[Candidate]) -> Iterator[Change]:
    """The offered changes, except those that do not parse, change only annotations or docstrings, or are duplicates."""
    seen = {_what_runs(source)}
    for candidate in offered:
        changed = candidate.make()
        what_runs = _what_runs(changed) if changed is not None else None
        if changed is None or what_runs is None or what_runs in seen:
            continue
        seen.add(what_runs)
        was, now, line = _difference(source, changed)
        yield Change(candidate.operator, _where(source, line), was, now, changed)


def _by_mutmut(source: str) -> list[Candidate]:
    module = libcst.parse_module(source)
    found: list[Candidate] = []

    class Collector(libcst.CSTVisitor):
        def on_visit(self, node: libcst.CSTNode) -> bool:
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    found.extend(_replacing(module, operator.__name__, node, new) for new in operator(node))
            return True

    module.visit(Collector())
    return found


def _replacing(module: libcst.Module, operator: str, old: libcst.CSTNode, new: libcst.CSTNode) -> Candidate:
    def make() -> str | None:
        changed = module.deep_replace(old, new)
        return changed.code if isinstance(changed, libcst.Module) else None

    return Candidate(operator.removeprefix("operator_").replace("_", "-"), make)


def _by_cosmic_ray(source: str) -> Iterator[Candidate]:
    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():  # names of variables, which nobody chose
            continue
        operator = kind()
        for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in nodes)):
            make = partial(mutate_code, source, operator, occurrence)
            yield Candidate(name.removeprefix("core/").partition("_")[0], make)


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
    return ".".join(names) or "module"
