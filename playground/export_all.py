"""Export of all chats as one file, written and sent a chat at a time."""

import json
import re
import zipfile
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from io import RawIOBase
from typing import Any

from inference.core.threads import BODIES
from playground.export import to_json, to_markdown

FORMAT = "mlxsite-conversations-1"
_LONGEST_NAME = 60
_NOT_OF_A_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
Chats = AsyncIterable[Mapping[str, Any]]


async def json_file(chats: Chats) -> AsyncGenerator[bytes]:
    """All chats with all branches; `imports` reads it."""
    before = json.dumps({"format": FORMAT})[:-1] + ', "conversations": [\n'
    async for chat in chats:
        yield (before + await BODIES.run(to_json, chat)).encode(errors="replace")
        before = ",\n"
    yield (before if before != ",\n" else "").encode() + b"\n]}\n"


async def zip_of_markdown(chats: Chats) -> AsyncGenerator[bytes]:
    """An archive with a Markdown file for each chat, in folders as in the list."""
    sent = _Sent()
    names: set[str] = set()
    with zipfile.ZipFile(sent, "w", zipfile.ZIP_DEFLATED) as archive:
        async for chat in chats:
            name = _unused(_file_name(chat), names)
            await BODIES.run(_write, archive, name, chat)
            yield sent.taken()
    yield sent.taken()


FORMATS: Mapping[str, tuple[Callable[[Chats], AsyncGenerator[bytes]], str]] = {
    "json": (json_file, "application/json"),
    "zip": (zip_of_markdown, "application/zip"),
}


class _Sent(RawIOBase):
    """What the archive has written and nobody has taken yet; it cannot seek."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def _write(archive: zipfile.ZipFile, name: str, chat: Mapping[str, Any]) -> None:
    archive.writestr(name, to_markdown(chat).encode(errors="replace"))


def _file_name(chat: Mapping[str, Any]) -> str:
    parts = [_clean(chat["folder"])] if chat["folder"] else []
    return "/".join([*parts, f"{chat['changed_at'][:10]} {_clean(chat['title'])}"])


def _clean(text: str) -> str:
    words = _NOT_OF_A_NAME.sub(" ", text).split()
    return " ".join(words)[:_LONGEST_NAME].strip(" .") or "Chat"


def _unused(name: str, names: set[str]) -> str:
    """The name with its ending, and with a number where it is taken; capital letters make no difference."""
    unused, number = name, 1
    while unused.lower() in names:
        number += 1
        unused = f"{name} ({number})"
    names.add(unused.lower())
    return f"{unused}.md"
