"""The shape of a conversation's tree, without its text: what is below a message, and beside it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models.functions import Coalesce

from playground.models import Conversation

_WRITTEN_AT = Coalesce("edited_at", "created_at")


class MessageNode(NamedTuple):
    """The place of one message."""

    id: int
    parent: int | None
    role: str
    at: datetime


class MessageTree:
    """The places of a conversation's undeleted messages."""

    def __init__(self, nodes: Iterable[MessageNode]) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._children: dict[int | None, list[MessageNode]] = defaultdict(list)
        for node in self._nodes.values():
            self._children[node.parent].append(node)

    @classmethod
    def of(cls, conversation: Conversation) -> "MessageTree":
        """The tree as it is stored; one query without text, however long the messages are."""
        rows = conversation.messages.filter(deleted_at=None)
        return cls(MessageNode(*row) for row in rows.values_list("pk", "parent_id", "role", _WRITTEN_AT))

    def below(self, message: int) -> list[int]:
        """The message and all that follow it, in all branches."""
        found = [message]
        for one in found:
            found += [child.id for child in self._children[one]]
        return found

    def children(self, message: int) -> list[MessageNode]:
        """The messages right below this one."""
        return self._children[message]

    def newest_tip(self, message: int) -> int:
        """The end of the newest branch that goes through the message."""
        while children := self._children[message]:
            message = max(children, key=_age).id
        return message

    def tip_without(self, message: int) -> int | None:
        """The end of the branch to be shown once the message is deleted.

        That is the branch of the alternative before it, or of the one after it, or of what else follows the
        message above; where nothing does, it is that message. None for the last message of all.
        """
        node = self._nodes[message]
        siblings = sorted(self._children[node.parent], key=_age)
        alike = [one for one in siblings if one.role == node.role]
        place = alike.index(node)
        unlike = [one for one in siblings if one.role != node.role]
        others = [*alike[:place][::-1], *alike[place + 1 :], *unlike[::-1]]
        return self.newest_tip(others[0].id) if others else node.parent


def _age(node: MessageNode) -> tuple[datetime, int]:
    return node.at, node.id
