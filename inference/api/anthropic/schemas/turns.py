"""The messages of a conversation, and what the model is given for them."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, model_validator

from inference.api.anthropic.schemas.blocks import (
    ContentBlock,
    LeftOutBlock,
    TextBlock,
    TextOrBlocks,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    read,
    text_of,
)
from inference.api.anthropic.schemas.request_marks import marks_in, without_marks
from inference.api.http.strict_schema import Part, either, wrong
from inference.core.requests import Message

Content = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[ContentBlock], Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of content blocks"),
]
_OF_ONE_ROLE = {"image": "user", "tool_result": "user", "thinking": "assistant", "tool_use": "assistant"}


class Turn(Part):
    """One message."""

    noted = {
        "id": "messages are identified by their position.",
        "output_config": "the value of the request is used.",
    }

    role: Literal["user", "assistant", "system"] = Field(
        description=(
            "`user`, `assistant`, or `system` for instructions in the middle of a conversation. If the last "
            "message is the assistant's, the answer continues it."
        )
    )
    content: Content = Field(
        description="A string, or a list of blocks. Text blocks of users and of the system are paragraphs; "
        "those of an assistant are joined without a separator."
    )
    clear_at: Literal["next_user_message", "never"] | None = Field(
        None, description="For a system message: `next_user_message` omits it after the next user message."
    )

    @model_validator(mode="after")
    def _check_blocks(self) -> Self:
        for place, block in enumerate(self.blocks):
            role = _OF_ONE_ROLE.get(block.type, self.role)
            if role != self.role:
                why = f"Only a message of the role {role!r} has it"
                raise wrong("wrong_role", why, f"content.{place}.type")
        return self

    @property
    def blocks(self) -> Sequence[ContentBlock]:
        return self.content if isinstance(self.content, list) else ()

    @property
    def is_empty(self) -> bool:
        """Whether the model is given nothing of it."""
        return not any(made.content or made.tool_calls or made.reasoning for made in self.messages())

    def messages(self) -> Iterator[Message]:
        """What the model is given: each result is a message of its own."""
        match self.role:
            case "system":
                if text := without_marks(text_of(self.content)):
                    yield Message(role="system", content=text)
            case "assistant":
                yield self._answer()
            case "user":
                yield from self._question()

    def left_out(self, path: str) -> Iterator[str]:
        """The blocks that the model cannot read, by place and type."""
        for place, block in enumerate(self.blocks):
            at = f"{path}.content.{place}"
            if isinstance(block, LeftOutBlock):
                yield f"{at}:{block.type}"
            elif isinstance(block, ToolResultBlock) and isinstance(block.content, list):
                parts = enumerate(block.content)
                yield from (f"{at}.content.{p}:{o.type}" for p, o in parts if isinstance(o, LeftOutBlock))

    def _answer(self) -> Message:
        blocks = [block for block in self.blocks if not isinstance(block, LeftOutBlock)]
        texts = [self.content] if isinstance(self.content, str) else [block.shown for block in blocks]
        return Message(
            role="assistant",
            content="".join(texts),
            reasoning="".join(block.reasoning for block in blocks if isinstance(block, ThinkingBlock)),
            tool_calls=tuple(block.call for block in blocks if isinstance(block, ToolUseBlock)),
        )

    def _question(self) -> Iterator[Message]:
        if isinstance(self.content, str):
            yield Message(role="user", content=self.content)
            return
        waiting: list[Any] = []
        for block in self.content:
            if not isinstance(block, ToolResultBlock):
                waiting.append(block)
                continue
            text, pictures = read(waiting)
            if text:
                yield Message(role="user", content=text, pictures=pictures)
            waiting = []
            text, pictures = block.read()
            yield Message(role="tool", content=text, pictures=pictures, tool_call_id=block.tool_use_id)
        text, pictures = read(waiting)
        if text or not any(isinstance(block, ToolResultBlock) for block in self.content):
            yield Message(role="user", content=text, pictures=pictures)


def conversation(system: str | list[TextBlock] | None, turns: Sequence[Turn]) -> tuple[Message, ...]:
    """The system's text and the messages, in the order in which the model reads them."""
    messages = [Message(role="system", content=text)] if (text := system_text(system)) else []
    return (*messages, *(message for turn in kept(turns) for message in turn.messages()))


def kept(turns: Sequence[Turn]) -> Iterator[Turn]:
    """The turns that the model is given something of."""
    last_question = max((place for place, turn in enumerate(turns) if turn.role == "user"), default=-1)
    for place, turn in enumerate(turns):
        is_cleared = turn.clear_at == "next_user_message" and place < last_question
        is_last_and_empty = place == len(turns) - 1 and turn.role == "assistant" and turn.is_empty
        if not is_cleared and not is_last_and_empty:
            yield turn


def system_text(system: TextOrBlocks | None) -> str:
    texts = [system] if isinstance(system, str) else [block.text for block in system or ()]
    return "\n\n".join(kept for text in texts if (kept := without_marks(text)))


def marks_of(system: str | list[TextBlock] | None, turns: Sequence[Turn]) -> Iterator[str]:
    """Where a client's marks were left out of system texts."""
    if isinstance(system, str):
        yield from (f"system:{mark}" for mark in marks_in(system))
    else:
        for place, block in enumerate(system or ()):
            yield from (f"system.{place}:{mark}" for mark in marks_in(block.text))
    for place, turn in enumerate(turns):
        if turn.role == "system":
            yield from (f"messages.{place}:{mark}" for mark in marks_in(text_of(turn.content)))


def check_results(turns: Sequence[Turn]) -> None:
    """Each result answers a call of an earlier message."""
    made: set[str] = set()
    for place, turn in enumerate(turns):
        for at, block in enumerate(turn.blocks):
            if isinstance(block, ToolUseBlock):
                made.add(block.id)
            elif isinstance(block, ToolResultBlock) and block.tool_use_id not in made:
                raise wrong(
                    "no_such_call",
                    "No earlier message has a tool_use block with this id; send that message, too",
                    f"messages.{place}.content.{at}.tool_use_id",
                )
