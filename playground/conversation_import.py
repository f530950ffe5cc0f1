"""Adding the messages of a conversation that comes from a file: thousands of them, in pieces."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from inference.core.errors import InvalidValue
from playground import batched_writes
from playground.models import Conversation, Message

_KEPT = (*("role", "content", "reasoning", "calls", "model", "status", "error", "figures", "tokens", "made"),)
_LONG = ("content", "reasoning", "tokens", "calls", "made")
Known = dict[int | None, Message | None]


def check(messages: Iterable[Mapping[str, Any]]) -> None:
    """Raises InvalidValue unless each message comes after the one it answers."""
    known: set[int | None] = {None}
    for message in messages:
        if message["parent"] not in known:
            raise InvalidValue("A message comes before the one it answers.", param="messages")
        known.add(message["id"])


def add(
    conversation: Conversation, messages: Sequence[Mapping[str, Any]], tip: int | None = None
) -> Message | None:
    """Add messages that were checked; the one which `tip` has become, or else the last one."""
    known: Known = {None: None}
    for some in batched_writes.cut(messages, _length):
        with batched_writes.piece():
            Message.objects.bulk_create(_made(conversation, some, known))
    return known.get(tip) or (known[messages[-1]["id"]] if messages else None)


def _made(conversation: Conversation, some: Sequence[Mapping[str, Any]], known: Known) -> list[Message]:
    """Messages with the numbers they will have, for those that answer others have to know theirs."""
    made = []
    for number, one in enumerate(some, _next_number()):
        kept = {name: one[name] for name in _KEPT if name in one}
        message = Message(pk=number, conversation=conversation, parent=known[one["parent"]], **kept)
        known[one["id"]] = message
        made.append(message)
    return made


def _next_number() -> int:
    """What the next message will be numbered: one that none has ever had.

    To be asked in the transaction that uses it: until its end nobody else adds messages.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [Message._meta.db_table])
        last = cursor.fetchone()
    return (last[0] if last else 0) + 1


def _length(message: Mapping[str, Any]) -> int:
    return sum(len(str(message.get(name, ""))) for name in _LONG)
