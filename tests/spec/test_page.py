"""The page in its original form, made from the document."""

import json
from pathlib import Path
from typing import Any

import pytest
from feedback_spec.catalogue import Rule
from feedback_spec.document import Document, load
from feedback_spec.documentation.page import render_page
from feedback_spec.source import DocumentError

PAGE = Path(__file__).parents[1] / "data" / "page.txt"


def submission(document: Document) -> Any:
    """The submit operation as plain data, to be changed before anything else reads it."""
    return next(iter(document.openapi["paths"].values()))["post"]


def test_page_is_the_original_byte_for_byte() -> None:
    assert render_page(load()).encode() == PAGE.read_bytes()


def test_page_follows_the_document() -> None:
    """The words of the page come from the document: with a different example, the page and its length change."""
    document = load()
    example = submission(document)["responses"]["200"]["content"]["application/json"]["examples"]["page"]
    example["value"]["comments"] = "It broke again!"

    page = render_page(document)

    assert "It broke again!" in page
    assert f"Content-Length: {289 + len(' again')}" in page


@pytest.mark.parametrize("rule", [rule for rule in load().rules.values() if rule.page], ids=lambda rule: rule.id)
def test_every_quote_of_a_rule_stands_on_the_page(rule: Rule) -> None:
    """A rule of level `documented` is based on a sentence, or a line of an example, on the page."""
    quote = rule.page or ""
    page = render_page(load())
    content = json.loads(page.split("\n", 3)[3].removesuffix("---\n"))

    texts = [page, *(value for value in content.values() if isinstance(value, str))]

    assert any(quote in " ".join(text.split()) for text in texts)


def test_every_documented_rule_quotes_the_page() -> None:
    assert [rule.id for rule in load().rules.values() if (rule.level == "documented") != (rule.page is not None)] == []


def test_document_without_the_pages_example_is_refused() -> None:
    document = load()
    del submission(document)["requestBody"]["content"]["application/json"]["examples"]["page"]

    with pytest.raises(DocumentError, match=r'openapi.yaml: the request of submitUserFeedback has no example "page"\.'):
        render_page(document)
