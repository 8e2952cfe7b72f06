"""Removes secrets from texts, however they are written there. Pure.

A run may have thousands of secrets (each sandbox has its own), and a HAR file megabytes of text, so secrets are looked
up word by word in sets. Only secrets that are not words, such as a token with a space in it, are searched for.
"""

import html
import json
import re
from bisect import bisect_left
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHOWN = "[secret]"
SHORTEST = 6
SHORTEST_CUT = 12
_WORD = re.compile(r"""[^\s"'`<>()\[\]{},]+""")


class Redaction:
    """Built from the secrets of a run. One shorter than SHORTEST protects nothing, and would mutilate ordinary
    words.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        variants = {variant for secret in secrets if len(secret) >= SHORTEST for variant in written(secret)}
        words = {each for each in variants if _WORD.fullmatch(each)}
        self._words = sorted(words)
        self._known = frozenset(words)
        self._lengths = sorted({len(each) for each in words}, reverse=True)
        self._shortest = min([SHORTEST_CUT, *self._lengths])
        others = [re.escape(each) for each in sorted(variants - words, key=len, reverse=True)]
        self._others = re.compile("|".join(others)) if others else None

    def __call__(self, text: str) -> str:
        """The text with each secret, and the beginning of a truncated secret, replaced by `[secret]`."""
        if self._others is not None:
            text = self._others.sub(SHOWN, text)
        return _WORD.sub(lambda match: self._word(match[0]), text) if self._known else text

    def _word(self, word: str) -> str:
        if len(word) < self._shortest:
            return word
        kept, position = [], 0
        while position < len(word):
            length = self._secret_at(word, position)
            kept.append(SHOWN if length else word[position])
            position += length or 1
        return "".join(kept)

    def _secret_at(self, word: str, position: int) -> int:
        for length in self._lengths:
            if word[position : position + length] in self._known:
                return length
        if not SHORTEST_CUT <= len(word) - position <= self._lengths[0]:
            return 0
        rest = word[position:]
        after = bisect_left(self._words, rest)
        cut = after < len(self._words) and self._words[after].startswith(rest)
        return len(rest) if cut and 2 * len(rest) >= len(self._words[after]) else 0


def written(secret: str) -> frozenset[str]:
    """The forms in which a secret may appear in a text: as it is, in a URL, in JSON, in HTML, quoted by Python."""
    urls = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    urls |= {re.sub("%..", lambda match: match[0].lower(), each) for each in urls}
    texts = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    texts |= {each.replace("/", "\\/") for each in texts}
    return frozenset({secret, *urls, *texts, html.escape(secret), html.escape(secret, quote=False), repr(secret)[1:-1]})
