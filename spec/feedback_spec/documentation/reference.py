"""Renders the reference, as Markdown and as one HTML file that needs no network, and its timeline drawing.

The templates are in `templates/`; `view`, `wording`, `samples` and `timeline` supply what they print.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from feedback_spec.catalogue import GROUPS
from feedback_spec.client_rules import GROUPS as CLIENT_GROUPS
from feedback_spec.document import Document
from feedback_spec.documentation import view, wording
from feedback_spec.documentation.languages import FENCES
from feedback_spec.documentation.samples import samples
from feedback_spec.documentation.timeline import draw_windows
from feedback_spec.operations import operations_of

Links = Mapping[str, tuple[str, ...]]
"""The files of each document, by its title; they are beside the reference."""
_CODE = re.compile(r"^(```\w+\n.*?^```)$", re.MULTILINE | re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render_markdown(document: Document, control: Mapping[str, Any], links: Links) -> str:
    """The reference as Markdown; the drawing is `timeline.svg` beside it."""
    environment = _environment(escape=False)
    environment.filters |= {"cell": _cell, "plain": _plain, "slug": _slug}
    text = environment.get_template("reference.md.j2").render(_context(document, control, links), fences=FENCES)
    parts = _CODE.split(text)  # every other one is code, whose blank lines are its own
    parts[::2] = [re.sub(r"\n{3,}", "\n\n", each) for each in parts[::2]]
    return "".join(parts).strip() + "\n"


def render_html(document: Document, control: Mapping[str, Any], links: Links) -> str:
    """The reference as one HTML file that includes its style and drawing and loads nothing.

    Its Content-Security-Policy allows one script, by hash, which adds copy buttons.
    """
    environment = _environment(escape=True)
    markdown = MarkdownIt("commonmark", {"html": False}).disable("image")
    # The HTML in a description is escaped, because images would be loaded; the output is markdown-it's own.
    environment.filters |= {
        "md": lambda text: Markup(markdown.render(text)),
        "inline": lambda text: Markup(markdown.renderInline(text)),
        "breakable": lambda text: Markup("/<wbr>").join(text.split("/")),
    }
    script = environment.get_template("reference.js").render()
    own = {
        "drawing": Markup(render_timeline(document)),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    text = environment.get_template("reference.html.j2").render(_context(document, control, links), **own)
    return text.strip() + "\n"


def render_timeline(document: Document) -> str:
    """The windows as an SVG file, readable on light and dark backgrounds and in print."""
    timeline = draw_windows(document)
    context = {
        **{name: getattr(timeline, name) for name in ("lanes", "height", "width", "left", "right")},
        "title": "The time windows",
        "desc": " ".join(f"{each.title}: {each.sentence}" for each in wording.window_texts(document)),
        "caption": f"{'One scale' if timeline.to_scale else 'Not to scale'}.  ● limit accepted   ○ limit refused",
    }
    return _environment(escape=True).get_template("timeline.svg.j2").render(context).strip() + "\n"


@cache  # with its compiled templates
def _environment(*, escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("feedback_spec.documentation"),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "num": lambda number: f"{number:g}",
        "type": view.type_of,
        "limits": view.limits,
        "shown": view.shown,
        "body": view.body,
        "phrase": view.phrase,
    }
    return environment


def _context(document: Document, control: Mapping[str, Any], links: Links) -> dict[str, Any]:
    return {
        "info": document.openapi["info"],
        "servers": document.openapi.get("servers", []),
        "submit": document.submit,
        "max_body": document.submit.extensions["x-max-body-bytes"],
        "windows": wording.window_texts(document),
        "outcomes": asdict(document.mutability),
        "rows": wording.rows(document),
        "groups": view.grouped(document.rules.values()),
        "group_titles": {**GROUPS, **CLIENT_GROUPS},
        "client_groups": view.grouped(each.rule for each in document.client_rules.values()),
        "needs": wording.needs_words,
        "others": view.other_operations(document),
        "control_info": control["info"],
        "control": tuple(operations_of(control)),
        "samples": samples(document, control),
        "documents": links,
    }


def _cell(text: str) -> str:
    """Markdown in one cell of a table, with its paragraphs kept apart."""
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n")]
    return "<br>".join(paragraphs).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text that Markdown prints unchanged."""
    return _SPECIAL.sub(r"\\\1", text)


def _slug(heading: str) -> str:
    """The anchor that code-hosting sites give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
