"""Files with chats: JSON in any encoding, and archives."""

import io
import json
import zipfile

import pytest

from inference.core.errors import InvalidValue
from playground.imports import chat_file
from playground.imports.json_elements import UnreadableElement
from tests.each import each

CHATS = [{"title": "Tee für drei"}, {"title": "茶"}]
TEXT = json.dumps(CHATS, ensure_ascii=False)


def archive(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in members.items():
            opened.writestr(name.replace("__", "/"), text)
    return made.getvalue()


def read(content: bytes) -> list[object]:
    return [
        text if isinstance(text, UnreadableElement) else json.loads(text)
        for text in chat_file.chats(io.BytesIO(content))
    ]


@each("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_in_any_encoding_with_a_mark(encoding: str) -> None:
    assert read(TEXT.encode(encoding)) == CHATS


def test_the_archive_of_chatgpt_and_nothing_else_of_it() -> None:
    members = {"conversations.json": TEXT, "user.json": "{}", "chat.html": "<html>"}
    assert read(archive(**members)) == CHATS
    parts = {"export__conversations-000.json": TEXT, "export__conversations-001.json": TEXT, "x.json": "[]"}
    assert read(archive(**parts)) == CHATS * 2


def test_an_archive_with_files_of_other_names() -> None:
    first, *rest = read(archive(**{"a.json": "no json", "tea.json": TEXT}))
    assert isinstance(first, UnreadableElement) and rest == CHATS


@each(
    ("content", "problem"),
    [
        (b"hello", "not an exported conversation"),
        (b"\xff\xfe\x00", "not an exported conversation"),
        (b"\x89PNG\r\n", "not an exported conversation"),
        (archive(**{"a.md": "# Tea"}), "no JSON file"),
        (archive(**{"conversations.json": TEXT})[:-30], "damaged"),
        (b"PK\x03\x04" + b"x" * 100, "damaged"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem):
        read(content)


def test_an_archive_that_claims_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_file, "MAX_CHARACTERS", 1000)
    with pytest.raises(InvalidValue, match="larger than"):
        read(archive(**{"conversations.json": "[" + " " * 2000 + "]"}))


def test_an_encrypted_archive_is_named() -> None:
    made = bytearray(archive(**{"conversations.json": TEXT}))
    made[6] |= 1  # the flag of the member, and that in the directory
    made[made.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidValue, match="encrypted"):
        read(bytes(made))
