"""Guesses what someone meant by an unknown name. Pure; standard library only."""

import difflib
from collections.abc import Collection

_FEW = 8  # names that are all listed


def meant(word: str, known: Collection[str], few: int = _FEW) -> str:
    """The end of a sentence about an unknown name: `; did you mean "a" or "b"?`, `; there are "a" and "b".` or `.`.

    At most three candidates; if none is near, all names, provided there are at most `few`.
    """
    near = difflib.get_close_matches(word, known, n=3)
    if near:
        return f"; did you mean {listed(near, 'or')}?"
    if 0 < len(known) <= few:
        return f"; there {'is' if len(known) == 1 else 'are'} {listed(sorted(known), 'and')}."
    return "."


def listed(words: Collection[str], last: str) -> str:
    """Quoted words as a sentence lists them: `"a", "b" or "c"`."""
    *most, end = (f'"{word}"' for word in words)
    return f"{', '.join(most)} {last} {end}" if most else end
