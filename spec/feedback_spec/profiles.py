"""The profiles: what real servers do differently, as OpenAPI Overlays over the document. No network."""

from pathlib import Path
from typing import Any

from feedback_spec.source import DocumentError, documents, parse, read

DOCUMENTED = "documented"
PROFILES = (DOCUMENTED, "sentry-9.1", "sentry-23.7", "sentry-latest")


def read_profiled(path: Path | None, profile: str) -> tuple[str, dict[str, Any]]:
    """The name and the content of a document as `read` gives them, with the profile's overlay applied."""
    name, openapi = read(path, "openapi.yaml")
    if profile == DOCUMENTED:
        return name, openapi
    if profile not in PROFILES:
        raise DocumentError(f'There is no profile "{profile}"; there are {", ".join(PROFILES)}.')
    # Here and not at the top: the document alone needs none of it, and no start should wait for it.
    from feedback_spec.openapi.overlay import OverlayError, apply  # noqa: PLC0415

    try:
        return f"{name} as {profile}", apply(openapi, read_overlay(profile), strict=True)
    except OverlayError as error:
        raise DocumentError(f"{name}: the profile {profile} does not fit it: {error}") from None


def read_overlay(profile: str) -> dict[str, Any]:
    """The overlay of a profile other than `documented`."""
    name = f"profiles/{profile}.overlay.yaml"
    overlay: dict[str, Any] = parse((documents() / name).read_text("utf-8"), name)
    return overlay
