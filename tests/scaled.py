"""The document with other windows, and no other edit: what real waiting is tried on without half an hour of it."""

from pathlib import Path

SOURCE = Path(__file__).parents[1] / "spec" / "openapi.yaml"


def scaled(path: Path, event: int, overwrite: int) -> Path:
    """Writes the document with windows of so many seconds to `path`: the plan is the same, the wait is not."""
    text = SOURCE.read_text("utf-8")
    for old, new in (
        ("PT30M0.000001S", f"PT{event}.000001S"),
        ("PT5M0.000001S", f"PT{overwrite}.000001S"),
        ("PT1M", "PT0.5S"),
        ("PT30M", f"PT{event}S"),
        ("PT5M", f"PT{overwrite}S"),
    ):
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return path
