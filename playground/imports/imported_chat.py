"""A chat on its way in, built message by message by the converter of its format."""

import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from inference.core.requests import Picture
from playground.dates import as_text
from playground.file_text.limits import NoText
from playground.file_text.picture import picture_of
from playground.imports.converted_chat import ConvertedChat
from playground.models import LONGEST_FOLDER, LONGEST_TITLE
from playground.store import title_of

ARCHIVED = "Archived"  # the folder of chats that their site had archived
_NOT_OF_A_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
_LONGEST_NAME = 64
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,")
Key = str | None


class ImportedChat:
    """Collects messages by the ids of the file."""

    def __init__(self, source: str, chat_id: Any, title: Any) -> None:
        self.origin = f"{source}:{chat_id or ''}"
        self.title = title if isinstance(title, str) else ""
        self.folder = ""
        self.is_pinned = False
        self.system = ""
        self.created_at: Any = None
        self.changed_at: Any = None
        self.tip: int | None = None
        self.left_out: Counter[str] = Counter()
        self._pictures: dict[str, Picture] = {}
        self._problem = ""  # of the first picture that cannot be kept
        self._messages: list[dict[str, Any]] = []
        self._places: dict[Key, int | None] = {None: None}

    def add(self, key: str, parent: Key, role: str, **fields: Any) -> int:
        """Add a message after the one with the key `parent`; returns its number."""
        number = len(self._messages)
        place = self._places.get(parent)
        self._messages.append({"id": number, "parent": place, "role": role, **fields})
        self._places[key] = number
        return number

    def stands_for(self, key: str, parent: Key) -> None:
        """Leave out the message `key`: what follows it follows `parent`."""
        self._places[key] = self._places.get(parent)

    def has(self, key: Key) -> bool:
        return key in self._places

    def number(self, key: Key) -> int | None:
        return self._places.get(key)

    def message(self, number: int) -> dict[str, Any]:
        return self._messages[number]

    def picture(self, address: Any, name: Any = None) -> list[dict[str, Any]]:
        """The attachment of a picture that the file has as a data URL; one that it only names is counted."""
        begin = _DATA_URL.match(address) if isinstance(address, str) else None
        if begin is None:
            self.left_out["picture"] += 1
            return []
        try:
            picture = picture_of(base64.b64decode(address[begin.end() :], validate=True))
        except (NoText, binascii.Error) as problem:
            why = str(problem) if isinstance(problem, NoText) else "It is not valid base64."
            self._problem = self._problem or f"A picture was left out. {why}"
            return []
        key = hashlib.sha256(picture.data).hexdigest()[:36]
        self._pictures[key] = picture
        facts = {"media_type": picture.media_type, "width": picture.width, "height": picture.height}
        return [{"id": key, "name": str(name or "picture")[:255], "size": len(picture.data), **facts}]

    def converted(self) -> ConvertedChat:
        """The chat as `schemas.ImportBody` reads it."""
        title = " ".join(self.title.split())[:LONGEST_TITLE]
        dates = {"created_at": as_text(self.created_at), "changed_at": as_text(self.changed_at)}
        fields = {
            "format": "mlxsite-conversation-1",
            "title": title or self._first_question(),
            "folder": self.folder[:LONGEST_FOLDER],
            "is_pinned": self.is_pinned,
            **{name: date for name, date in dates.items() if date},
            "settings": {"system": self.system} if self.system else {},
            "tip": self.tip,
            "messages": self._messages,
            **({"pictures": self._pictures} if self._pictures else {}),
        }
        return ConvertedChat(fields, self.origin, self.left_out, self._problem)

    def _first_question(self) -> str:
        questions = (message.get("content", "") for message in self._messages if message["role"] == "user")
        return title_of(next(questions, ""))


def call(call_id: Any, name: Any, arguments: Any, result: str | None = None) -> dict[str, Any]:
    """A tool call as messages keep it: the arguments are a JSON object, the name one that APIs accept."""
    clean = _NOT_OF_A_NAME.sub("_", str(name or ""))[:_LONGEST_NAME] or "tool"
    made = {"id": str(call_id or clean)[:256], "name": clean, "arguments": _json_object(arguments)}
    return made if result is None else {**made, "result": result}


def _json_object(arguments: Any) -> str:
    """`arguments` as a JSON object; what is no object becomes the field `input` of one."""
    value = _loaded(_loaded(arguments))  # Open WebUI writes the text of a JSON object as JSON once more
    return json.dumps(value if isinstance(value, Mapping) else {"input": value}, ensure_ascii=False)


def _loaded(value: Any) -> Any:
    """What the JSON text stands for; anything else as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value
