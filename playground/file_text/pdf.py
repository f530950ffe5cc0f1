"""The text of PDF files, page by page."""

import io

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from playground.file_text.limits import MAX_CHARACTERS, TOO_LONG, NoText

_MAX_PAGES = 5000


def text_of(content: bytes) -> str:
    """The text of all pages, an empty line between them; raises NoText."""
    try:
        return _text_of(PdfReader(io.BytesIO(content), strict=False))
    except (NoText, MemoryError):
        raise
    except (PyPdfError, RecursionError, Exception):
        raise NoText("It is damaged and cannot be read.") from None


def _text_of(reader: PdfReader) -> str:
    if reader.is_encrypted and not reader.decrypt(""):
        raise NoText("It is protected by a password.")
    if len(reader.pages) > _MAX_PAGES:
        raise NoText(f"It has more than {_MAX_PAGES:,} pages; attach the part that matters.")
    pages: list[str] = []
    length = 0
    for page in reader.pages:
        pages.append(page.extract_text().strip())
        length += len(pages[-1])
        if length > MAX_CHARACTERS:
            raise NoText(TOO_LONG)
    if not length:
        raise NoText("It has no text; its pages may be scanned pictures.")
    return "\n\n".join(filter(None, pages))
