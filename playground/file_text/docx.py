"""The text of Word files (.docx): paragraphs, lists and tables of the body, without its formatting.

A .docx file is a ZIP archive, and word/document.xml in it the text (ECMA-376, part 1, section 17.3).
"""

import io
import zipfile
import zlib
from xml.parsers import expat

from playground.file_text.limits import MAX_CHARACTERS, TOO_LONG, NoText

_DOCUMENT = "word/document.xml"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_DAMAGED = "It is damaged and cannot be read."
_MAX_XML = 128 * 2**20  # bytes, unpacked
_CHUNK = 64 * 1024


def text_of(content: bytes) -> str:
    """The text, a line for each paragraph and row of a table; raises NoText."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(_DOCUMENT).file_size > _MAX_XML:
                raise NoText("It is too large when unpacked.")
            with archive.open(_DOCUMENT) as stream:
                reader = _DocxReader()
                while chunk := stream.read(_CHUNK):
                    reader.feed(chunk)
                return reader.end()
    except RuntimeError:
        raise NoText("It is protected by a password.") from None
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, KeyError, EOFError, NotImplementedError):
        raise NoText(_DAMAGED) from None


class _DocxReader:
    """Collects the text while the XML is parsed; entities are not part of such files, and are refused."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._is_text = False
        self._cells = 0  # tables may stand in cells of others
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._finish
        self._parser.CharacterDataHandler = self._characters

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)

    def end(self) -> str:
        self._parser.Parse(b"", True)
        lines = [line.rstrip() for line in "".join(self._parts).split("\n")]
        text = "\n".join(lines).strip("\n")
        if not text.strip():
            raise NoText("It has no text.")
        return text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "t":
                self._is_text = True
            case "tab":
                self._add("\t")
            case "br" | "cr":
                self._add("\n")
            case "tc":
                self._cells += 1

    def _finish(self, name: str) -> None:
        match _local(name):
            case "t":
                self._is_text = False
            case "p":
                self._add(" " if self._cells else "\n")
            case "tc":
                self._cells -= 1
                self._add("\t")
            case "tr":
                self._add("\n")
            case "tbl":
                self._add("\n")

    def _characters(self, text: str) -> None:
        if self._is_text:
            self._add(text)

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise NoText(TOO_LONG)


def _local(name: str) -> str:
    """The name of an element of WordprocessingML, without its namespace; empty for any other."""
    namespace, _, local = name.rpartition(" ")
    return local if namespace in {_W, _STRICT_W} else ""


def _refuse(*declaration: object) -> None:
    raise NoText(_DAMAGED)
