"""The `feedback-mock` command without its journal, to measure the journal's cost."""

import sys

from feedback_mock.command.cli import main
from feedback_mock.store import Store

if __name__ == "__main__":
    Store.project_of_path = lambda *_: None  # type: ignore[method-assign]  # nobody to write down for
    sys.exit(main())
