"""A prompt that ends with the assistant's last message, so that the answer goes on with it.

Templates end a message with text of their own. A mark at the end of the message shows where that begins.
"""

from msgspec import structs

from inference.core.errors import TemplateFailed
from inference.core.requests import Message

# Plain letters: templates strip white space and escape what is special in JSON.
_MARK = "EndOfTheMessageToContinue"


def with_end_mark(message: Message) -> Message:
    """The message with a mark after its text, or after its reasoning if it has no text."""
    if message.content or not message.reasoning:
        return structs.replace(message, content=message.content + _MARK)
    return structs.replace(message, reasoning=message.reasoning + _MARK)


def up_to_end_mark(text: str) -> str:
    """The rendered text before the mark; TemplateFailed if the template leaves the message out."""
    before, mark, _ = text.rpartition(_MARK)
    if not mark:
        raise TemplateFailed(
            "This model's chat template does not render the end of the last message, so it cannot be "
            "continued; end the conversation with a user's message.",
            param="messages",
        )
    return before
