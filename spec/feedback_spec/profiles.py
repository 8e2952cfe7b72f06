"""The profiles: what real servers do differently, as OpenAPI Overlays on the document. No network."""

from pathlib import Path
from typing import Any

from feedback_spec.source import DocumentError, documents, parse, read
from feedback_spec.spelling import meant

DOCUMENTED = "documented"
PROFILES = (DOCUMENTED, "sentry-9.1", "sentry-23.7", "sentry-latest")


def read_profiled(path: Path | None, profile: str) -> tuple[str, dict[str, Any]]:
    """The name and content of a document as returned by `read`, with the profile's overlay applied."""
    name, openapi = read(path, "openapi.yaml")
    if profile == DOCUMENTED:
        return name, openapi
    if profile not in PROFILES:
        raise DocumentError(f'There is no profile "{profile}"{meant(profile, PROFILES)}')
    # Not at the top: only profiles need it, and no start should wait for it.
    from feedback_spec.openapi.overlay import OverlayError, apply  # noqa: PLC0415 (see above)

    for part in (*read_overlay(profile).get("x-stands-on", ()), profile):
        try:
            openapi = apply(openapi, read_overlay(part), strict=True)
        except OverlayError as error:
            place = profile if part == profile else f"{profile}, {part}"
            raise DocumentError(f"{name}: the profile {place} does not fit this document: {error}") from None
    return f"{name} as {profile}", openapi


def read_overlay(name: str) -> dict[str, Any]:
    """The overlay of a profile other than `documented`, or of a part that profiles build on, such as `parts/sentry`.

    The overlays named in its `x-stands-on` are applied first.
    """
    file = f"profiles/{name}.overlay.yaml"
    overlay: dict[str, Any] = parse((documents() / file).read_text("utf-8"), file)
    return overlay
