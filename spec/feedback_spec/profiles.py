"""The profiles: what real servers do differently, as OpenAPI Overlays over the document. No network."""

from pathlib import Path
from typing import Any

from feedback_spec.source import DocumentError, documents, parse, read
from feedback_spec.spelling import meant

DOCUMENTED = "documented"
PROFILES = (DOCUMENTED, "sentry-9.1", "sentry-23.7", "sentry-latest")


def read_profiled(path: Path | None, profile: str) -> tuple[str, dict[str, Any]]:
    """The name and the content of a document as `read` gives them, with the profile's overlay applied."""
    name, openapi = read(path, "openapi.yaml")
    if profile == DOCUMENTED:
        return name, openapi
    if profile not in PROFILES:
        raise DocumentError(f'There is no profile "{profile}"{meant(profile, PROFILES)}')
    # Not at the top: without a profile none of it is needed, and no start should wait for it.
    from feedback_spec.openapi.overlay import OverlayError, apply  # noqa: PLC0415

    for part in (*read_overlay(profile).get("x-stands-on", ()), profile):
        try:
            openapi = apply(openapi, read_overlay(part), strict=True)
        except OverlayError as error:
            place = profile if part == profile else f"{profile}, {part}"
            raise DocumentError(f"{name}: the profile {place} does not fit it: {error}") from None
    return f"{name} as {profile}", openapi


def read_overlay(name: str) -> dict[str, Any]:
    """The overlay of a profile other than `documented`, or of a part that profiles stand on, such as `parts/sentry`.

    It is applied after those that its `x-stands-on` names.
    """
    file = f"profiles/{name}.overlay.yaml"
    overlay: dict[str, Any] = parse((documents() / file).read_text("utf-8"), file)
    return overlay
