"""What kind of file some bytes are, by how they begin: names may lie, and pasted files have none."""

import io
import zipfile
from typing import Literal

from playground.file_text.limits import NoText

Kind = Literal["text", "pdf", "docx", "picture"]
_AUDIO = "The models on this server do not support audio."
_VIDEO = "The models on this server do not support video."
_OLD_OFFICE = "It is in an old format of Office; save it as .docx or PDF first."
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_SAVE_IT = "It is a picture in the format {}, which is not supported; save it as {} first."
_BEGINNINGS = (
    (b"BM", _SAVE_IT.format("BMP", "PNG")),
    (b"II*\0", _SAVE_IT.format("TIFF", "PNG or JPEG")),
    (b"MM\0*", _SAVE_IT.format("TIFF", "PNG or JPEG")),
    (b"\0\0\x01\0", _SAVE_IT.format("ICO", "PNG")),
    (b"ID3", _AUDIO),
    (b"OggS", _AUDIO),
    (b"fLaC", _AUDIO),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_OFFICE),
)
_BRANDS = {"heic": "HEIC", "heix": "HEIC", "hevc": "HEIC", "mif1": "HEIC", "avif": "AVIF", "avis": "AVIF"}
_OFFICE = {
    "xl/": "It is a spreadsheet; save it as CSV first.",
    "ppt/": "It is a presentation; save it as PDF first.",
    "content.xml": "It is an OpenDocument file; save it as .docx or PDF first.",
}
_ARCHIVE = "It is an archive; attach the files in it instead."


def kind_of(content: bytes) -> Kind:
    """The kind of a file that models can read; raises NoText for the others, with the reason."""
    if not content.strip(b"\0 \t\r\n\x0c\xef\xbb\xbf\xff\xfe"):
        raise NoText("It is empty.")
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_archive(content)
    head = content[:16]
    if head.startswith(_PICTURES) or (head[:4], head[8:12]) == (b"RIFF", b"WEBP"):
        return "picture"
    for beginning, reason in _BEGINNINGS:
        if head.startswith(beginning) and _is_certain(beginning, content):
            raise NoText(reason)
    if head[:4] == b"RIFF":
        raise NoText(_AUDIO)
    if head[4:8] == b"ftyp":
        picture = _BRANDS.get(head[8:12].decode("latin-1"))
        raise NoText(_SAVE_IT.format(picture, "JPEG or PNG") if picture else _VIDEO)
    return "text"


def _is_certain(beginning: bytes, content: bytes) -> bool:
    """Two letters may begin a text as well; then a zero byte has to follow."""
    return len(beginning) > 2 or b"\0" in content[:64]


def _kind_of_archive(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise NoText("It is damaged and cannot be read.") from None
    if "word/document.xml" in names:
        return "docx"
    for beginning, reason in _OFFICE.items():
        if any(name.startswith(beginning) for name in names):
            raise NoText(reason)
    raise NoText(_ARCHIVE)
