"""Renders the reference, as Markdown and as one HTML file that needs no network, and its timeline drawing.

The templates lie in `templates/`; what they print is made by `view`, `wording`, `curls` and `timeline`.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from feedback_spec.catalogue import GROUPS
from feedback_spec.document import Document
from feedback_spec.documentation import view, wording
from feedback_spec.documentation.curls import curls
from feedback_spec.documentation.timeline import draw
from feedback_spec.operations import operations_of

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render_markdown(document: Document, control: Mapping[str, Any]) -> str:
    """The reference as Markdown; the drawing is `timeline.svg` beside it."""
    environment = _environment(escape=False)
    environment.filters |= {"cell": _cell, "plain": _plain, "slug": _slug}
    text = environment.get_template("reference.md.j2").render(_context(document, control))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def render_html(document: Document, control: Mapping[str, Any]) -> str:
    """The reference as one HTML file: style and drawing inside it, no script, nothing to load."""
    environment = _environment(escape=True)
    markdown = MarkdownIt("commonmark", {"html": False}).disable("image")
    # The HTML of a description is escaped, and images would be loaded; what comes out is markdown-it's own.
    environment.filters |= {
        "md": lambda text: Markup(markdown.render(text)),
        "inline": lambda text: Markup(markdown.renderInline(text)),
        "breakable": lambda text: Markup("/<wbr>").join(text.split("/")),
    }
    drawing = Markup(render_timeline(document))
    text = environment.get_template("reference.html.j2").render(_context(document, control), drawing=drawing)
    return text.strip() + "\n"


def render_timeline(document: Document) -> str:
    """The windows as an SVG file, readable on light and dark ground and in print."""
    timeline = draw(document)
    context = {
        **{name: getattr(timeline, name) for name in ("lanes", "height", "width", "left", "right")},
        "title": "The time windows",
        "desc": " ".join(f"{each.title}: {each.sentence}" for each in wording.window_texts(document)),
        "caption": f"{'One scale' if timeline.to_scale else 'Not to scale'}.  ● limit accepted   ○ limit refused",
    }
    return _environment(escape=True).get_template("timeline.svg.j2").render(context).strip() + "\n"


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


def _context(document: Document, control: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "info": document.openapi["info"],
        "servers": document.openapi.get("servers", []),
        "submit": document.submit,
        "max_body": document.submit.extensions["x-max-body-bytes"],
        "windows": wording.window_texts(document),
        "outcomes": asdict(document.mutability),
        "rows": wording.rows(document),
        "groups": view.rule_groups(document),
        "group_titles": GROUPS,
        "needs": wording.needs_words,
        "others": view.other_operations(document),
        "control_info": control["info"],
        "control": tuple(operations_of(control)),
        "curls": curls(document, control),
    }


def _cell(text: str) -> str:
    """Markdown that stands in one cell of a table, its paragraphs kept apart."""
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n")]
    return "<br>".join(paragraphs).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text that Markdown prints as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def _slug(heading: str) -> str:
    """The anchor that code-hosting sites give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
