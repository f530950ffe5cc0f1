"""Finds out what a chat template supports, by rendering short conversations with it."""

from collections.abc import Sequence
from typing import Protocol

from inference.core.errors import TemplateFailed
from inference.core.requests import Message, Tool, ToolCall

_ANSWER_TEXT = "probe-of-the-assistant-turn"
_LATER_TEXT = "probe-of-a-later-system-message"
_QUESTION = Message(role="user", content="hi")
_ANSWERED = (_QUESTION, Message(role="assistant", content=_ANSWER_TEXT))
# Some templates end a turn only where the next one begins (GLM: the user's marker is the end), and some
# write the end only after the last turn, so both are tried.
_ENDINGS = (_ANSWERED, (*_ANSWERED, Message(role="user", content="and")))
_WITH_SYSTEM = (Message(role="system", content=_ANSWER_TEXT), _QUESTION)
_LATER_SYSTEM = (Message(role="system", content=_LATER_TEXT), _QUESTION)
# Templates that require alternating turns may count a system message as an answer (Mistral Small 3.2).
_WITH_LATER_SYSTEM = (
    *_WITH_SYSTEM,
    *_LATER_SYSTEM,
    Message(role="assistant", content="yes"),
    *_LATER_SYSTEM,
)
_TWO_QUESTIONS = (Message(role="user", content=_ANSWER_TEXT), _QUESTION)
_TOOL = Tool(name="probe_of_the_tools", description="Nothing.")
_CALL = ToolCall(id="abcdefghi", name=_TOOL.name, arguments="{}")  # Mistral's ids have nine characters
# A question, a call and its result; a family may add to it what its own templates are known to refuse.
CALL_AND_RESULT = (
    _QUESTION,
    Message(role="assistant", content="", tool_calls=(_CALL,)),
    Message(role="tool", content=_ANSWER_TEXT, name=_TOOL.name, tool_call_id=_CALL.id),
)


class Render(Protocol):
    """Renders messages with a model's chat template; raises TemplateFailed."""

    def __call__(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, opens_answer: bool = True
    ) -> str: ...


class TemplateProbes:
    """What one chat template supports. Each question renders the template once, when it is created.

    - `renders_text`: it writes a question that is a text. SmolVLM's takes lists of parts alone.
    - `renders_tools`: it writes the tools it is given.
    - `renders_calls`: it writes the calls and results of earlier turns. `renders_calls_with_tools`: it does
      so for a request that has tools; Command R7B has a second template for these.
    - `accepts_system`: it has a system role. `accepts_later_system`: also after the first message.
    - `accepts_consecutive_roles`: two user turns in a row are allowed.
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self.renders_text = self.renders(_TWO_QUESTIONS[:1], _ANSWER_TEXT)
        self.renders_tools = self.renders((_QUESTION,), _TOOL.name, tools=(_TOOL,))
        self.renders_calls = self.renders(CALL_AND_RESULT, _TOOL.name, _ANSWER_TEXT)
        self.renders_calls_with_tools = self.renders_calls or self.renders(
            CALL_AND_RESULT, _TOOL.name, _ANSWER_TEXT, tools=(_TOOL,)
        )
        self.accepts_system = self.renders(_WITH_SYSTEM, _ANSWER_TEXT)
        self.accepts_later_system = self.renders(_WITH_LATER_SYSTEM, _ANSWER_TEXT, _LATER_TEXT)
        self.accepts_consecutive_roles = self.renders(_TWO_QUESTIONS, _ANSWER_TEXT)

    def renders(self, messages: Sequence[Message], *texts: str, tools: Sequence[Tool] = ()) -> bool:
        """Whether the template writes all of these texts, given the messages and tools that they are in."""
        try:
            rendered = self._render(messages, tools)
        except TemplateFailed:
            return False
        return all(text in rendered for text in texts)

    def texts_after_answer(self) -> list[str]:
        """What the template writes after an assistant turn, at the end and before the next turn."""
        return [text for messages in _ENDINGS if (text := self._text_after_answer(messages))]

    def _text_after_answer(self, messages: Sequence[Message]) -> str:
        try:
            rendered = self._render(messages, opens_answer=False)
        except TemplateFailed:
            return ""
        _, found, rest = rendered.rpartition(_ANSWER_TEXT)
        return rest if found else ""
