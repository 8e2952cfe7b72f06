"""The reference: it follows the document, includes all of it, and the HTML file loads nothing."""

import base64
import copy
import hashlib
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from feedback_spec.document import Document, document_of, load, load_control
from feedback_spec.documentation.build import built_files, committed_files
from feedback_spec.documentation.reference import render_timeline
from feedback_spec.documentation.samples import samples
from feedback_spec.documentation.timeline import draw_windows

from tests.fuzz.changes import places
from tests.hostile.markup import ATTACKS, LEAVING, rendered

SPEC = Path(__file__).parents[2] / "spec"
TEXT = (SPEC / "openapi.yaml").read_text("utf-8")
LIMITS = re.compile(r"(?<!\w)(?:30 minutes|5 minutes|30 MINUTES|PT30M|PT5M)(?!\w)|PT30M0|PT5M0")


class Page(HTMLParser):
    """The contents of an HTML file: tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def changed(tmp_path: Path, **replacements: str) -> Document:
    """The document with texts replaced everywhere, as an editor would."""
    text = TEXT
    for old, new in replacements.items():
        text = text.replace(old, new)
    path = tmp_path / "changed.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def markdown_of(document: Document) -> str:
    return built_files(document, load_control())["reference.md"]


def html_of(document: Document) -> str:
    return built_files(document, load_control())["reference.html"]


@pytest.fixture(scope="module")
def html() -> str:
    return html_of(load())


def test_committed_reference_is_current() -> None:
    for name, text in committed_files(load(), load_control()).items():
        assert (SPEC / name).read_text("utf-8") == text


def test_changed_windows_are_said_everywhere(tmp_path: Path) -> None:
    files = built_files(changed(tmp_path, PT30M="PT10M", PT5M="PT2M"), load_control())

    for name in ("reference.md", "reference.html", "timeline.svg", "page.md", "openapi.json", "openapi-3.1.json"):
        assert LIMITS.findall(files[name]) == [], name
        assert "10 minutes" in files[name], name
        assert "2 minutes" in files[name], name


def test_limit_that_refuses_is_said_so(tmp_path: Path) -> None:
    """If the limit itself is refused, neither sentence nor drawing calls it accepted."""
    text = TEXT.replace("at_limit: accepted", "at_limit: refused")
    for row in ("event_saved_ago: PT30M\n", "first_submitted_ago: PT5M\n"):
        text = re.sub(rf"({row}            outcome: )\w+(\n            status: )200", r"\1refused\g<2>409", text)
    text = text.replace("            first_submitted_ago: PT0S", "            first_submitted_ago: PT1S")
    (tmp_path / "changed.yaml").write_text(text, "utf-8")

    document = load(tmp_path / "changed.yaml")

    assert "is accepted for less than 30 minutes; from exactly 30 minutes on it is refused" in markdown_of(document)
    assert 'class="dot exclusive"' in render_timeline(document)
    assert 'class="dot inclusive"' not in render_timeline(document)


def test_html_loads_nothing(html: str) -> None:
    page = Page(html)
    addresses = [
        value
        for _, attributes in page.tags
        for key in ("src", "srcset", "data", "poster")
        if (value := attributes.get(key))
    ]
    links = [attributes.get("href") or "" for _, attributes in page.tags if "href" in attributes]

    assert addresses == []
    assert {link for link in links if not link.startswith("#")} <= set(built_files(load(), load_control()))
    assert {"link", "iframe", "object", "base"} & {tag for tag, _ in page.tags} == set()
    assert re.findall(r"@import|url\((?!#)", html) == []


def test_html_runs_its_own_script_alone(html: str) -> None:
    """The policy names it by hash, and allows nothing else."""
    page = Page(html)
    policies = [each["content"] or "" for _, each in page.tags if each.get("http-equiv") == "Content-Security-Policy"]
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()

    assert len(policies) == len(scripts) == [tag for tag, _ in page.tags].count("script") == 1
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}';" in policies[0]


def test_every_link_of_the_html_leads_somewhere(html: str) -> None:
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]

    assert len(ids) == len(set(ids))
    links = {attributes["href"] or "" for _, attributes in page.tags if "href" in attributes}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_committed_reference_links_to_what_stands_beside_it() -> None:
    text = committed_files(load(), load_control())["REFERENCE.md"]

    links = re.findall(r"\]\(([^)#]+)\)", text.partition("## The documents")[2])

    assert links == ["openapi.yaml", "control.yaml", "ingest.yaml"]
    assert all((SPEC / link).is_file() for link in links)


@pytest.mark.parametrize("kind", ["markdown", "html"])
def test_reference_has_every_rule_field_status_row_and_request(kind: str, html: str) -> None:
    document = load()
    text = markdown_of(document) if kind == "markdown" else " ".join(Page(html).words)
    submit = document.submit
    fields = document.openapi["components"]["schemas"]["UserFeedbackSubmission"]["properties"]
    summaries = [
        each["summary"] for item in load_control()["paths"].values() for each in item.values() if "summary" in each
    ]

    expected = [*document.rules, *fields, *submit.responses, *(row.case for row in document.examples), *summaries]

    assert [each for each in expected if each not in text] == []


def test_html_of_a_description_is_shown_and_not_run(tmp_path: Path) -> None:
    text = TEXT.replace("the slug of the project.\n", "'the slug <script>alert(1)</script> <img src=x>'\n")
    text = text.replace("An unknown organization or project is 404.", "'<b onclick=x>unknown</b> ![x](http://x/y.png)'")
    text = text.replace("comments: It broke!", "comments: </code><script>x</script>")
    (tmp_path / "changed.yaml").write_text(text, "utf-8")

    html = html_of(load(tmp_path / "changed.yaml"))

    tags = [tag for tag, _ in Page(html).tags]
    assert {"img", "b"} & set(tags) == set()
    assert tags.count("script") == 1
    assert "&lt;script&gt;" in html


def test_nothing_of_a_hostile_document_runs_or_asks_for_anything(tmp_path: Path) -> None:
    """All attacks in all texts of a document, in Chromium, including those that navigate away."""
    openapi, words = copy.deepcopy(load().openapi), " ".join([*LEAVING, *ATTACKS])
    texts = [
        (node, key)
        for node, key in places(openapi)
        if key in ("description", "summary", "rule", "note", "because", "example", "value", "message", "wording")
        and " " in str(node[key])
        and isinstance(node[key], str)
    ]

    def page(url: str) -> str:
        for node, key in texts:
            attack = words.replace("URL", url)
            # An example may be a header's, which allows less.
            node[key] += attack if key != "example" else "".join(filter(str.isprintable, ascii(attack)))
        openapi["info"]["title"] = words
        return html_of(document_of("hostile", openapi))

    asked, title, dom = rendered(page, tmp_path)

    assert (asked, len(texts) > 50) == (["/"], True)
    assert "document.title=" in title
    assert dom.count("PWN") > len(texts)


def test_drawing_is_to_scale_and_has_a_description() -> None:
    timeline = draw_windows(load())
    drawing = ET.fromstring(render_timeline(load()))
    svg = "{http://www.w3.org/2000/svg}"

    thirty, five = ((lane.limit_x - timeline.left) for lane in timeline.lanes)

    assert timeline.to_scale
    assert thirty / five == pytest.approx(6, rel=0.01)
    assert drawing.findtext(f"{svg}title") == "The time windows"
    assert "up to and including 30 minutes" in (drawing.findtext(f"{svg}desc") or "")


def test_window_too_short_to_be_seen_is_drawn_and_said_not_to_scale(tmp_path: Path) -> None:
    text = TEXT.replace("PT5M0.000001S", "PT1.000001S").replace("PT5M", "PT1S")
    text = re.sub(r"last_submitted_ago: PT1M", "last_submitted_ago: PT0.5S", text)
    text = re.sub(r"(first_submitted_ago: )PT1M", r"\1PT0.5S", text)
    (tmp_path / "changed.yaml").write_text(text, "utf-8")

    document = load(tmp_path / "changed.yaml")

    assert not draw_windows(document).to_scale
    assert "Not to scale" in render_timeline(document)


def test_labels_of_the_drawing_stay_inside_it(tmp_path: Path) -> None:
    for limit in ("PT30M", "PT1H59M59S", "P100DT23H59M59.999999S"):
        rows = re.sub(r"PT30M0.000001S|P1DT1M", "P300D", TEXT)
        text = rows.replace("limit: PT30M", f"limit: {limit}").replace(
            "event_saved_ago: PT30M\n", f"event_saved_ago: {limit}\n"
        )
        (tmp_path / "changed.yaml").write_text(text, "utf-8")

        timeline = draw_windows(load(tmp_path / "changed.yaml"))

        for lane in timeline.lanes:
            half = len(lane.limit) * 6.4 / 2
            assert timeline.left <= lane.label_x - half < lane.label_x + half <= timeline.right


def curl_lines(document: Document) -> list[str]:
    return [each.texts["curl"] for each in samples(document, load_control())]


def test_curl_lines_carry_the_windows_and_no_secret() -> None:
    text = "\n".join(curl_lines(load()))

    assert '"duration": "PT5M0.000001S"' in text
    assert '"saved_ago": "PT30M0.000001S"' in text
    assert re.findall(r"Authorization: .*", text)[:2] == [
        'Authorization: Bearer \'"$TOKEN" \\',
        'Authorization: DSN \'"$DSN" \\',
    ]


def test_markdown_tables_have_as_many_cells_in_each_row() -> None:
    """Otherwise, a `|` in a text would end a cell, and a line feed the table."""
    tables: list[list[str]] = [[]]
    for line in markdown_of(load()).splitlines():
        if line.startswith("|"):
            tables[-1].append(line)
        elif tables[-1]:
            tables.append([])

    widths: list[Any] = [{len(re.findall(r"(?<!\\)\|", row)) for row in table} for table in tables if table]

    assert [width for width in widths if len(width) != 1] == []
    assert len(widths) > 10


def hostile(bad: str) -> tuple[Document, str]:
    """A document with `bad` in all its examples, and its path with the slugs of its examples."""
    document = copy.deepcopy(load().openapi)
    path = next(iter(document["paths"]))
    document["servers"] = [{"url": f"http://{bad}", "description": f"first\n touch pwned {bad}"}]
    document["paths"] = {f"{path}{bad}/": document["paths"][path]}
    document["components"]["securitySchemes"]["dsn"]["name"] = bad
    example = document["paths"][f"{path}{bad}/"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    example["page"]["value"]["comments"] = bad
    slugs = {"organization_slug": "the-interstellar-jurisdiction", "project_slug": "plain-proxy"}
    return document_of("hostile", document), path.format_map(slugs) + bad + "/"


def test_curl_lines_of_a_hostile_document_run_nothing_of_it(tmp_path: Path) -> None:
    """Values from the document are quoted: the lines are run, with a curl that only prints its arguments."""
    bad = "$(touch pwned)`touch pwned`\"';touch pwned;"
    document, path = hostile(bad)
    (tmp_path / "curl").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    (tmp_path / "curl").chmod(0o755)
    lines = "\n".join(curl_lines(document)[:-1])

    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TOKEN": "t", "DSN": "d"}
    shown = subprocess.run(
        ["sh", "-eu"], input=lines, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    assert sorted(each.name for each in tmp_path.iterdir()) == ["curl"]
    assert f"http://{bad}{path}" in shown
    assert "Authorization: Bearer t" in shown


@pytest.mark.parametrize(
    "row",
    [
        "| `event_id` | yes | text, 1 to 32 characters,",
        "| `per_page` | no | integer, 1 to 100,",
        "| `name` | text, 1 to 128 characters | yes | yes |",
        "| `event.id` | text | yes | yes |",
        "| `issue` | object | yes | yes |",
        "| `issue.title` | text | no | no |",
    ],
)
def test_reference_says_what_is_required_and_what_can_be_null(row: str) -> None:
    """What is required in the request, what is always in the response, and what may be null there."""
    assert f"\n{row}" in markdown_of(load())
