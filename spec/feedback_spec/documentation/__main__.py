"""The entry point of `feedback-docs`: the command line, whose imports take a moment."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Like `feedback_spec.documentation.cli.main`; Ctrl-C at any time prints one word and returns 2."""
    try:
        from feedback_spec.documentation import cli  # noqa: PLC0415 (see above)

        return cli.main(argv)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    except OSError:  # stderr cannot be written
        pass
    return 2


if __name__ == "__main__":
    sys.exit(main())
