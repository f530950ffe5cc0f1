"""Files are recognised by how they begin, and refused with a reason that helps."""

import io
import zipfile

import pytest

from playground.file_text.kinds import kind_of
from playground.file_text.limits import NoText
from tests.each import each
from tests.playground.file_text import files


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        for name in names:
            opened.writestr(name, "x")
    return made.getvalue()


@each(
    ("content", "kind"),
    [
        (b"text", "text"),
        (b"BMW builds cars", "text"),
        (b"II*", "text"),
        (b"\n\n" + files.pdf("x"), "pdf"),
        (files.docx(files.paragraph("x")), "docx"),
        (b"<svg></svg>", "text"),
        (b"\x89PNG\0\0", "picture"),
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"GIF89a", "picture"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "picture"),
    ],
)
def test_what_can_be_read(content: bytes, kind: str) -> None:
    assert kind_of(content) == kind


@each(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"BM\x36\0\0\0", "BMP.*save it as PNG first"),
        (b"II*\0\x08\0\0\0", "TIFF.*save it as PNG or JPEG first"),
        (b"MM\0*\0\0\0\x08", "TIFF.*save it as PNG or JPEG first"),
        (b"\0\0\x01\0\x01\0", "ICO.*save it as PNG first"),
        (b"\0\0\0\x18ftypheic", "HEIC.*save it as JPEG or PNG first"),
        (b"\0\0\0\x18ftypmif1", "HEIC.*save it as JPEG or PNG first"),
        (b"\0\0\0\x18ftypavif", "AVIF.*save it as JPEG or PNG first"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not support audio"),
        (b"\0\0\0\x18ftypisom", "not support video"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old format"),
        (archive("xl/workbook.xml"), "spreadsheet"),
        (archive("ppt/presentation.xml"), "presentation"),
        (archive("content.xml"), "OpenDocument"),
        (archive("a.txt"), "archive"),
        (b"PK\x03\x04" + b"x" * 40, "damaged"),
    ],
)
def test_what_cannot(content: bytes, reason: str) -> None:
    with pytest.raises(NoText, match=reason):
        kind_of(content)
