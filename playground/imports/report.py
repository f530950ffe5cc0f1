"""What came of an import and what did not, chat by chat, in plain words."""

from collections import Counter
from typing import Any, Literal

from msgspec import Struct

MAX_LISTED = 500  # of each outcome
Outcome = Literal["imported", "duplicate", "failed"]


class ReportedChat(Struct):
    """One chat of the file; `id` is that of the conversation here, empty where there is none."""

    outcome: Outcome
    title: str
    id: str = ""
    note: str = ""


class ImportReport:
    """Counts all chats, and lists the first MAX_LISTED of each outcome."""

    def __init__(self) -> None:
        self._chats: list[ReportedChat] = []
        self._counts: Counter[str] = Counter()
        self._formats: Counter[str] = Counter()

    def add(self, chat: ReportedChat, format_name: str = "") -> None:
        self._counts[chat.outcome] += 1
        if format_name:
            self._formats[format_name] += 1
        if self._counts[chat.outcome] <= MAX_LISTED:
            self._chats.append(chat)

    @property
    def count(self) -> int:
        return sum(self._counts.values())

    @property
    def payload(self) -> dict[str, Any]:
        """The report as the page's JSON."""
        return {
            "formats": list(self._formats),
            **{outcome: self._counts[outcome] for outcome in ("imported", "duplicate", "failed")},
            "chats": [
                {"outcome": one.outcome, "title": one.title, "id": one.id, "note": one.note}
                for one in self._chats
            ],
        }
