"""Makes pages of templates: each is one file that loads nothing and runs nothing.

Whatever a target says is text in them. The templates escape it, and should one of them fail to, the page's own policy
allows its one style and nothing else: no script, no picture, no request, no form.
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
    """A template of this package, rendered with its style and the hash by which the policy knows that."""
    style = (resources.files("feedback_verify") / "templates" / "report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    made_by = version("sentry-feedback-contract")
    text: str = _templates().get_template(template).render(style=style, digest=digest, version=made_by, **context)
    return text


def kind(verdict: str) -> str:
    """A verdict as the name of a style: `not-verifiable-here`."""
    return "-".join(verdict.replace(",", "").split())


def visible(text: str) -> str:
    """The text in its lines, with escapes for what nobody would see, or what would turn the text around it."""
    return "\n".join(map(printable, text.replace("\r\n", "\n").split("\n")))


def prose(text: str) -> Markup:
    """A rule's words, in which backticks are around what is code."""
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
