"""The chats in a file: JSON in any encoding with a mark or in UTF-8, or a ZIP archive that contains it."""

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import IO

from inference.core.errors import InvalidValue
from playground.imports import json_elements
from playground.imports.json_elements import UnreadableElement

MAX_CHARACTERS = 2 * 2**30  # of all JSON in an archive; what claims more is refused
_MAX_MEMBERS = 10_000
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_CONVERSATIONS = re.compile(r"(^|/)(conversations|chats?)([-_ ]?\d+)?\.json$", re.IGNORECASE)
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}
IMPORTABLE = (
    "Exports of this site, of ChatGPT (conversations.json, or the ZIP file with it), of Open WebUI and of "
    "LibreChat can be imported."
)
NOT_AN_EXPORT = f"This file is not an exported conversation. {IMPORTABLE}"


def chats(file: IO[bytes]) -> Iterator[str]:
    """Each chat in the file as text, or an `UnreadableElement`; raises InvalidValue for what is no export."""
    head = file.read(4)
    file.seek(0)
    if head in {_ZIP, _EMPTY_ZIP}:
        yield from _of_archive(file)
    else:
        yield from _of_json(file)


def _of_json(file: IO[bytes]) -> Iterator[str]:
    head = file.read(3)
    file.seek(0)
    encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
    text = io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")
    try:
        yield from json_elements.elements(text)
    except (json_elements.NotJSON, UnicodeError):
        raise InvalidValue(NOT_AN_EXPORT) from None
    finally:
        text.detach()


def _of_archive(file: IO[bytes]) -> Iterator[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in _members(archive):
                with closing(archive.open(member)) as stream:
                    yield from _of_member(stream)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise InvalidValue("This ZIP file is damaged, or not of a kind that can be read.") from None
    except RuntimeError:
        raise InvalidValue("This ZIP file is encrypted. Unpack it, and import the JSON file in it.") from None


def _of_member(stream: IO[bytes]) -> Iterator[str]:
    """The chats of one file of an archive; one that is no export does not spoil the others."""
    try:
        yield from _of_json(stream)
    except InvalidValue as error:
        yield UnreadableElement(error.message)


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files with chats: those that ChatGPT's export names so, else all JSON files."""
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS:
        raise InvalidValue(f"This ZIP file has more than {_MAX_MEMBERS:,} files.")
    json_files = [one for one in members if one.filename.lower().endswith(".json")]
    chosen = [one for one in json_files if _CONVERSATIONS.search(one.filename)] or json_files
    if not chosen:
        raise InvalidValue("This ZIP file has no JSON file with chats.")
    if sum(one.file_size for one in chosen) > MAX_CHARACTERS:
        raise InvalidValue("The chats in this ZIP file are larger than 2 GB. Import a part of them.")
    return chosen
