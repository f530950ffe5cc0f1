"""A summary of a conversation, which the model itself writes."""

from collections.abc import Sequence

from msgspec import structs

from inference.core.errors import InternalError
from inference.core.events import Event, Finished, TextDelta, Usage
from inference.core.requests import ChatRequest, Message, TokenRules

_TASK = (
    "Write a summary of the conversation so far, for an assistant who takes it over and sees nothing else of "
    "it but the user's messages. Say what the user wants, what was decided and why, what was done and with "
    "what result (names, paths, numbers and code that are needed again, word for word), and what is still to "
    "be done. Answer with the summary alone."
)
_OPENING = "This is a summary of the conversation up to here:\n\n"


def summary_request(chat_request: ChatRequest, messages: Sequence[Message]) -> ChatRequest:
    """The request for a summary of `messages`, which are all or some of those of `asked`."""
    return structs.replace(
        chat_request,
        messages=(*messages, Message(role="user", content=_TASK)),
        continues=False,
        tools=(),
        must_call=(),
        follows_schemas=False,
        schema="",
        grammar=None,
        rules=TokenRules(),
        logprobs=None,
    )


class Summary:
    """`note` each event of the request; `usage` raises InternalError until it has ended."""

    def __init__(self) -> None:
        self._text = ""
        self._usage: Usage | None = None

    def note(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._text += event.text
        elif isinstance(event, Finished):
            self._usage = event.usage

    @property
    def usage(self) -> Usage:
        if self._usage is None:
            raise InternalError("The answer was cut off; please try again.")
        return self._usage

    @property
    def text(self) -> str:
        return self._text.strip()


def summary_message(text: str) -> Message:
    """The summary as the model reads it."""
    return Message(role="user", content=_OPENING + text)


def is_summary(message: Message) -> bool:
    """Whether this is the summary of an earlier compaction, and no message of the user's."""
    return message.role == "user" and message.content.startswith(_OPENING)
