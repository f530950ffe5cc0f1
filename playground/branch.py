"""A branch of a conversation's tree: the messages from the first one down to its tip."""

from inference.core.errors import InvalidValue
from playground.models import Conversation, Message


def branch_to(conversation: Conversation, tip: int | None) -> list[Message]:
    """The messages from the first one down to `tip`; none where `tip` is None.

    A conversation is a tree: each message names its parent, and messages with one parent are alternatives.
    The path from a message up to the root is therefore unique, and one query loads all that can be on it.

    Raises InvalidValue when the conversation has no message `tip`, or that was deleted.
    """
    if tip is None:
        return []
    messages = {message.pk: message for message in conversation.messages.filter(deleted_at=None)}
    if tip not in messages:
        raise InvalidValue("There is no such message in this conversation.", param="parent")
    path = [messages[tip]]
    while path[-1].parent_id is not None:
        path.append(messages[path[-1].parent_id])
    return path[::-1]
