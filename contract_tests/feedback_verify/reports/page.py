"""Renders pages from templates: each is one file that loads nothing and runs nothing.

Whatever a target sends is text in them. The templates escape it, and should one fail to, the page's own policy allows
only its one style: no script, no picture, no request, no form.
"""

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from feedback_verify.verdicts import printable


def page(template: str, **context: Any) -> str:
    """A template of this package, rendered with its style and the hash by which the policy allows that."""
    style = (resources.files("feedback_verify") / "templates" / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    made_by = version("sentry-feedback-contract")
    text: str = _templates().get_template(template).render(style=style, digest=digest, version=made_by, **context)
    return text


def kind(verdict: str) -> str:
    """A verdict as the name of a style: `not-verifiable-here`."""
    return "-".join(verdict.replace(",", "").split())


def visible(text: str) -> str:
    """The text in its lines, with escapes for invisible characters and for those that would reorder the text around
    them.
    """
    return "\n".join(map(printable, text.replace("\r\n", "\n").split("\n")))


def prose(text: str) -> Markup:
    """A rule's words, with backticks around code."""
    *pairs, rest = re.split(r"`([^`]*)`", visible(text))
    words = [escape(each) if number % 2 == 0 else Markup("<code>%s</code>") % each for number, each in enumerate(pairs)]
    return Markup("").join([*words, escape(rest)])


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("feedback_verify"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"visible": visible, "kind": kind, "prose": prose}
    return templates
