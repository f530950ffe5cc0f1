"""Word files: paragraphs, tables, and files that are made to harm."""

from collections.abc import Callable

import pytest

from playground.file_text import docx
from playground.file_text.limits import NoText
from tests.playground.file_text.files import docx as made
from tests.playground.file_text.files import paragraph


def test_paragraphs_are_lines_and_breaks_are_kept() -> None:
    body = (
        paragraph("One &amp; two")
        + "<w:p><w:r><w:t>A</w:t><w:tab/><w:t>B</w:t><w:br/><w:t>C</w:t></w:r></w:p>"
    )
    assert docx.text_of(made(body)) == "One & two\nA\tB\nC"


def test_rows_of_tables_are_lines() -> None:
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("a", "b"))
    body = f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{cells}</w:tr></w:tbl>{paragraph('after')}"
    assert docx.text_of(made(body)) == "a \tb\na \tb\n\nafter"


def test_what_was_deleted_is_no_text() -> None:
    deleted = "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
    assert docx.text_of(made(deleted)) == "kept"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: made("<w:p/>"), "no text"),
        (lambda: made("<w:p>"), "damaged"),
        (lambda: made(paragraph("&a;"), before='<!DOCTYPE x [<!ENTITY a "aaaa">]>'), "damaged"),
        (lambda: made(paragraph("x"))[:120], "damaged"),
        (lambda: made(paragraph("x" * 1_000_001)), "1,000,000 characters"),
        (lambda: made(" " * (129 * 2**20)), "too large when unpacked"),
    ],
    ids=["empty", "broken", "entities", "truncated", "long", "bomb"],
)
def test_what_has_no_text_for_a_model_is_named(make: Callable[[], bytes], reason: str) -> None:
    content = make()
    with pytest.raises(NoText, match=reason):
        docx.text_of(content)
