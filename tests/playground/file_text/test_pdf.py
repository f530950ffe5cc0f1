"""PDF files: text of all pages, and a sentence for those without."""

import io

import pytest
from pypdf import PdfReader, PdfWriter

from playground.file_text import pdf
from playground.file_text.limits import NoText
from tests.playground.file_text.files import pdf as made


def encrypted(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(made("Secret"))))
    writer.encrypt(password, owner_password="owner", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_the_text_of_all_pages() -> None:
    assert pdf.text_of(made("Page one", "", "Page three")) == "Page one\n\nPage three"


def test_one_that_only_its_owner_may_change_is_read() -> None:
    assert pdf.text_of(encrypted("")) == "Secret"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encrypted("secret"), "password"),
        (made("", ""), "scanned pictures"),
        (made("Page")[:200], "damaged"),
        (b"%PDF-1.7\n", "damaged"),
    ],
    ids=["encrypted", "scanned", "truncated", "empty"],
)
def test_what_has_no_text_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(NoText, match=reason):
        pdf.text_of(content)


def test_one_that_is_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_CHARACTERS", 10)
    with pytest.raises(NoText, match="characters"):
        pdf.text_of(made("Page one", "Page two"))
