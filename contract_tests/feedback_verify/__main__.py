"""The entry points of `feedback-verify` and `feedback-mock explore`: the command line or, without the `[verify]` extra,
a sentence that says what to do.
"""

import sys
from contextlib import suppress

from feedback_verify.extra import missing


def main(argv: list[str] | None = None, name: str = "feedback-verify") -> int:
    """Like `feedback_verify.cli.main`; without the `[verify]` extra, prints one sentence and returns 2."""
    with suppress(OSError):  # stderr cannot be written
        try:
            if sentence := missing():
                return _refuse(f"{name}: {sentence}")
            from feedback_verify import cli  # noqa: PLC0415 (it imports what may be missing)
        except KeyboardInterrupt:  # the imports take a moment; afterwards, cli.main says it
            return _refuse("Stopped.")
        except Exception as error:
            return _refuse(f"{name}: cannot be imported: {type(error).__name__}: {error}")
        return cli.main(argv, name)
    return 2


def explore(argv: list[str]) -> int:
    """What `feedback-mock explore` runs."""
    return main(argv, "feedback-mock")


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
