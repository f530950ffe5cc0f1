"""Tests the chat template, roles, stop tokens and tool calls of a model when it is loaded."""

import json
from collections.abc import Iterator, Sequence

from inference.adapters.base import Adapter
from inference.adapters.tokenizer import Tokenizer
from inference.core.errors import ServerError
from inference.core.model_card import Finding
from inference.core.requests import ChatRequest, Message, Tool, ToolCall

_QUESTION = Message(role="user", content="probe-of-the-question")
_ANSWER = Message(role="assistant", content="probe-of-the-answer")
_SECOND_QUESTION = Message(role="user", content="probe-of-the-second-question")
_SYSTEM = Message(role="system", content="probe-of-the-system")
_CITY = "Probeville"
_PROMPTED = (
    "Its template does not render tools, so the system message describes them; calls are less reliable."
)
_TOOL = Tool(
    name="probe_weather",
    description="The weather in a city.",
    parameters='{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}',
)
_CALL = ToolCall(id="call0probe", name=_TOOL.name, arguments=json.dumps({"city": _CITY}))
_CALLED = Message(role="assistant", content="", tool_calls=(_CALL,))
_RESULT = Message(role="tool", content="probe-of-the-result", tool_call_id=_CALL.id, name=_TOOL.name)


def findings(adapter: Adapter, tokenizer: Tokenizer) -> tuple[Finding, ...]:
    """The problems of a model, the worst ones red; nothing if there are none.

    1. Chat: render a question, and a conversation of three turns. Every message has to be in the prompt.
    2. Stop tokens: at least one has to be known.
    3. Roles: render a system message.
    4. Tools: render a call and its result, and parse the call (see `TemplateTrial.tools`).

    A model without a chat template is not tested further; it can only complete prompts.
    """
    if not adapter.has_template:
        only = "It has no chat template, so it can complete prompts but not chat."
        return (Finding(light="amber", about="chat", text=only), *_stops(adapter))
    trial = TemplateTrial(adapter, tokenizer)
    return (*trial.chat(), *_stops(adapter), *trial.roles(), *trial.tools())


def _stops(adapter: Adapter) -> Iterator[Finding]:
    if not adapter.stop_ids:
        yield Finding(
            light="amber",
            about="stops",
            text="It has no known stop token: its answers end only at max_tokens.",
        )


class TemplateTrial:
    """Renders one adapter's template in the ways that requests need."""

    def __init__(self, adapter: Adapter, tokenizer: Tokenizer) -> None:
        self._adapter = adapter
        self._tokenizer = tokenizer

    def chat(self) -> Iterator[Finding]:
        if problem := self._problem(_QUESTION):
            yield Finding(light="red", about="chat", text=f"Its template cannot render a question: {problem}")
        elif problem := self._problem(_QUESTION, _ANSWER, _SECOND_QUESTION):
            yield Finding(
                light="amber", about="chat", text=f"Its template cannot render a conversation: {problem}"
            )

    def roles(self) -> Iterator[Finding]:
        if problem := self._problem(_SYSTEM, _QUESTION):
            yield Finding(
                light="amber", about="roles", text=f"Its template cannot render a system message: {problem}"
            )

    def tools(self) -> Iterator[Finding]:
        """The problems with tools; a model with a red one gets none.

        1. Render a question, a call and its result, with the tool.
        2. The result has to be in the prompt.
        3. Cut the prompt behind the call, at the end of its turn. From each place where a call can begin, the
           last one first, parse the rest as an answer. One of them has to give the same call.
        """
        if problem := self._adapter.tools_problem:
            yield Finding(light="amber", about="tools", text=problem)
            return
        if self._adapter.prompts_tools:
            yield Finding(light="amber", about="tools", text=_PROMPTED)
        request = _request(_QUESTION, _CALLED, _RESULT, tools=(_TOOL,))
        try:
            text = self._tokenizer.decode(self._adapter.render(request))
        except ServerError as error:
            yield Finding(
                light="red", about="tools", text=f"Its template cannot render a tool call: {error.message}"
            )
            return
        if _RESULT.content not in text:
            yield Finding(
                light="red", about="tools", text="Its template leaves out the result of a tool call."
            )
        if not self._is_parsed_back(text):
            yield Finding(
                light="red", about="tools", text="The tool calls that its template renders cannot be parsed."
            )

    def _problem(self, *messages: Message) -> str:
        """Why these messages cannot be rendered, or that one is missing in the prompt; empty if neither."""
        try:
            text = self._tokenizer.decode(self._adapter.render(_request(*messages)))
        except ServerError as error:
            return error.message
        missing = [message.content for message in messages if message.content not in text]
        return "the template leaves a message out." if missing else ""

    def _is_parsed_back(self, text: str) -> bool:
        """Whether a call that begins at some place before the arguments is parsed correctly."""
        end = text.find(_RESULT.content)
        before = text[: max(end, 0)]
        argument = before.rfind(_CITY)
        before = before[: self._end_of_turn(before, argument)]
        starts = [place for place in range(argument, -1, -1) if self._can_begin(before, place)]
        return any(self._is_parsed(before[start:]) for start in starts[:_MOST_STARTS])

    def _end_of_turn(self, text: str, start: int) -> int:
        """The index of the first stop token behind `start`: bare calls end with the answer."""
        ends = (self._tokenizer.decode([token]) for token in self._adapter.stop_ids)
        return min(
            (at for end in ends if end and (at := text.find(end, max(start, 0))) >= 0), default=len(text)
        )

    def _can_begin(self, text: str, place: int) -> bool:
        call_format = self._adapter.call_format
        begins = (call_format.begin, call_format.bare_begin) if call_format else ()
        return any(begin and text.startswith(begin, place) for begin in begins)

    def _is_parsed(self, text: str) -> bool:
        reader = self._adapter.reader((), _request(_QUESTION, tools=(_TOOL,)))
        pieces = [piece for piece in (*reader.feed(text), *reader.flush()) if piece.channel == "tool"]
        names = [piece.name for piece in pieces if piece.name]
        arguments = "".join(piece.text for piece in pieces if piece.call == 0)
        return names[:1] == [_TOOL.name] and _city_in(arguments) == _CITY


_MOST_STARTS = 64


def _request(*messages: Message, tools: Sequence[Tool] = ()) -> ChatRequest:
    return ChatRequest(model="", messages=messages, tools=tuple(tools))


def _city_in(arguments: str) -> object:
    try:
        found = json.loads(arguments)
    except ValueError:
        return None
    return found.get("city") if isinstance(found, dict) else None
