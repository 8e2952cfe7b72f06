"""The entry point of `feedback-verify`: the command line or, without the `[verify]` extra, a sentence that says what to
do.
"""

import sys

from feedback_verify.extra import missing


def main(argv: list[str] | None = None) -> int:
    """Like `feedback_verify.cli.main`; without the `[verify]` extra, prints one sentence and returns 2."""
    sentence = missing()
    if sentence:
        print(f"feedback-verify: {sentence}", file=sys.stderr)
        return 2
    try:
        from feedback_verify import cli  # noqa: PLC0415 (it imports what may be missing)
    except KeyboardInterrupt:  # the imports take a moment; afterwards, cli.main says it
        print("Stopped.", file=sys.stderr)
        return 2
    except Exception as error:
        print(f"feedback-verify: cannot be imported: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return cli.main(argv)


if __name__ == "__main__":
    sys.exit(main())
