"""The entry point of `feedback-mock`: the command line, whose imports take a moment."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Like `feedback_mock.command.cli.main`; returns 130 if Ctrl-C comes before that could begin."""
    try:
        from feedback_mock.command import cli  # noqa: PLC0415 (see above)

        return cli.main(argv)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
