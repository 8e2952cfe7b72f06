"""Words in lines to paste are the same words in every shell that people use, as they are typed into a terminal."""

import random
import shutil
import subprocess

import pytest
from feedback_spec import shell

from tests.shells import SHELLS

ALPHABET = "'\"\\ $`!#&;|<>(){}[]*?~=%^@+:,./-ab1é"
KNOWN = [
    "",
    "plain",
    "it's",
    "=ls",
    "=",
    "a\\b",
    "\\",
    "\\'\";touch PWN;#",
    "$HOME",
    "`id`",
    "!!",
    "~",
    "%self",
    "-n",
    "{a,b}",
]


def random_words(count: int) -> list[str]:
    chance = random.Random(7)
    return ["".join(chance.choices(ALPHABET, k=chance.randrange(1, 12))) for _ in range(count)]


@pytest.mark.parametrize("name", SHELLS)
def test_a_word_is_itself_in_every_shell(name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    words = [*KNOWN, *random_words(300)]
    lines = "".join(f"printf '<%s>' {shell.quote(word)}; echo\n" for word in words)
    ran = subprocess.run(SHELLS[name], input=f"{lines}exit\n", capture_output=True, text=True, check=False)

    assert [line for line in ran.stdout.splitlines() if line.startswith("<")] == [f"<{word}>" for word in words]


def test_a_line_has_all_words() -> None:
    assert (
        shell.join(["curl", "-d", '{"a": "\\n"}', "http://h/?a=1"]) == "curl -d '{\"a\": \"'\\\\'n\"}' 'http://h/?a=1'"
    )
