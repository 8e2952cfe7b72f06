"""The commands' standard output and standard error: what they cannot encode, and output that cannot be written."""

import io
import os
import sys


def escape_unencodable() -> None:
    """From now on, stdout and stderr show characters that their encoding lacks as `\\u2192`; they never raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_stdout() -> None:
    """Discards what is left in Python's buffer of stdout, which cannot be written: Python would try again at its end,
    and return a code of its own.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
