"""Which conversations a response is being made in: one at a time, so that none misses another's items."""

from inference.core.errors import ConversationLocked


class Hold:
    """The right to one conversation, until it is released."""

    def __init__(self, holds: "dict[tuple[str, str], Hold]", key: tuple[str, str]) -> None:
        self._holds = holds
        self._key = key

    def release(self) -> None:
        """Give it back; a second call does nothing, even where another response holds it by then."""
        if self._holds.get(self._key) is self:
            del self._holds[self._key]


class ConversationLocks:
    """The conversations of this process that are in use, by owner and id. Used on the event loop only."""

    def __init__(self) -> None:
        self._holds: dict[tuple[str, str], Hold] = {}

    def hold(self, owner: str, conversation_id: str) -> Hold:
        """Raises ConversationLocked."""
        self.check(owner, conversation_id)
        key = (owner, conversation_id)
        return self._holds.setdefault(key, Hold(self._holds, key))

    def check(self, owner: str, conversation_id: str) -> None:
        """Raises ConversationLocked where a response is being made in it."""
        if (owner, conversation_id) in self._holds:
            raise ConversationLocked(
                "Another response is being made in this conversation; send the request again when it has "
                "ended.",
                param="conversation",
            )


LOCKS = ConversationLocks()
