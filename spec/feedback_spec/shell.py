"""Quotes words of lines that people paste. The same word in bash, zsh and dash, and never run by fish. Pure; standard
library only.
"""

import shlex
from collections.abc import Iterable

_REPLACED = ("=", "%")


def quote(word: str) -> str:
    """One word, like `shlex.quote`, which knows only POSIX.

    fish reads a backslash between single quotes as an escape, so backslashes are outside of quotes. zsh replaces a word
    that begins with `=`, and fish `%self`.
    """
    first, rest = (f"'{word[0]}'", word[1:]) if word[:1] in _REPLACED else ("", word)
    return first + r"\\".join(shlex.quote(part) if part else "" for part in rest.split("\\")) or "''"


def join(words: Iterable[str]) -> str:
    """The words as one line, like `shlex.join`."""
    return " ".join(map(quote, words))
