"""The document with other windows, and no other edit: for tests of real waiting that don't take half an hour."""

from pathlib import Path

SOURCE = Path(__file__).parents[1] / "spec" / "openapi.yaml"


def scaled(path: Path, event: int, overwrite: int, source: Path = SOURCE) -> Path:
    """Writes the document with windows of this many seconds to `path`: the plan is the same, the wait is not.

    `source` is a document whose windows last as long as ours, whatever else is different.
    """
    text = source.read_text("utf-8")
    for old, new in (
        ("PT29M59.999999S", f"PT{event - 1}.999999S"),
        ("PT4M59.999999S", f"PT{overwrite - 1}.999999S"),
        ("PT30M0.000001S", f"PT{event}.000001S"),
        ("PT5M0.000001S", f"PT{overwrite}.000001S"),
        ("PT1M", "PT0.5S"),
        ("PT30M", f"PT{event}S"),
        ("PT5M", f"PT{overwrite}S"),
    ):
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return path
