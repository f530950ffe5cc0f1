"""What of a model's template, roles, stops and tools works as it should, tried when the model is loaded."""

import json
from collections.abc import Iterator, Sequence

from inference.adapters.base import Adapter, Tokenizer
from inference.core.errors import ServerError
from inference.core.model_card import Finding
from inference.core.requests import ChatRequest, Message, Tool, ToolCall

_ASKED = Message(role="user", content="probe-of-the-question")
_ANSWERED = Message(role="assistant", content="probe-of-the-answer")
_AGAIN = Message(role="user", content="probe-of-the-second-question")
_SYSTEM = Message(role="system", content="probe-of-the-system")
_CITY = "Probeville"
_SPOKEN = "Its template knows no tools, so they are told in words; expect less of its calls."
_TOOL = Tool(
    name="probe_weather",
    description="The weather in a city.",
    parameters='{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}',
)
_CALL = ToolCall(id="call0probe", name=_TOOL.name, arguments=json.dumps({"city": _CITY}))
_CALLED = Message(role="assistant", content="", tool_calls=(_CALL,))
_RESULT = Message(role="tool", content="probe-of-the-result", tool_call_id=_CALL.id, name=_TOOL.name)


def findings(adapter: Adapter, tokenizer: Tokenizer) -> tuple[Finding, ...]:
    """What is not as it should be, worst things as red; nothing for a model that is all right."""
    if not adapter.has_template:
        only = "It has no chat template, so it completes prompts and does not chat."
        return (Finding(light="amber", about="chat", text=only), *_stops(adapter))
    tried = Trial(adapter, tokenizer)
    return (*tried.chat(), *_stops(adapter), *tried.roles(), *tried.tools())


def _stops(adapter: Adapter) -> Iterator[Finding]:
    if not adapter.stop_ids:
        yield Finding(
            light="amber", about="stops", text="No token is known to end its answers: they run to max_tokens."
        )


class Trial:
    """One adapter's template, rendered in all the ways that requests will have it."""

    def __init__(self, adapter: Adapter, tokenizer: Tokenizer) -> None:
        self._adapter = adapter
        self._tokenizer = tokenizer

    def chat(self) -> Iterator[Finding]:
        if problem := self._problem(_ASKED):
            yield Finding(light="red", about="chat", text=f"Its template cannot render a question: {problem}")
        elif problem := self._problem(_ASKED, _ANSWERED, _AGAIN):
            yield Finding(light="amber", about="chat", text=f"It cannot hold a conversation: {problem}")

    def roles(self) -> Iterator[Finding]:
        if problem := self._problem(_SYSTEM, _ASKED):
            yield Finding(light="amber", about="roles", text=f"It takes no system message: {problem}")

    def tools(self) -> Iterator[Finding]:
        """A call is rendered and read back; only a model that passes is given tools."""
        if problem := self._adapter.tools_problem:
            yield Finding(light="amber", about="tools", text=problem)
            return
        if self._adapter.prompts_tools:
            yield Finding(light="amber", about="tools", text=_SPOKEN)
        request = _request(_ASKED, _CALLED, _RESULT, tools=(_TOOL,))
        try:
            text = self._tokenizer.decode(self._adapter.render(request))
        except ServerError as error:
            yield Finding(light="red", about="tools", text=f"It cannot render a tool call: {error.message}")
            return
        if _RESULT.content not in text:
            yield Finding(light="red", about="tools", text="Its template leaves out what a tool answers.")
        if not self._is_read_back(text):
            yield Finding(
                light="red", about="tools", text="It cannot read the calls that its template writes."
            )

    def _problem(self, *messages: Message) -> str:
        """Why these messages cannot be rendered, or what is missing in the prompt; empty when all is well."""
        try:
            text = self._tokenizer.decode(self._adapter.render(_request(*messages)))
        except ServerError as error:
            return error.message
        missing = [message.content for message in messages if message.content not in text]
        return "the template leaves a message out." if missing else ""

    def _is_read_back(self, text: str) -> bool:
        """Whether some place before the arguments begins a call that the reader finds."""
        end = text.find(_RESULT.content)
        before = text[: max(end, 0)]
        written = before.rfind(_CITY)
        before = before[: self._end_of_turn(before, written)]
        starts = [place for place in range(written, -1, -1) if self._may_begin(before, place)]
        return any(self._reads(before[start:]) for start in starts[:_MOST_STARTS])

    def _end_of_turn(self, text: str, start: int) -> int:
        """Where the turn ends that has something at `start`: bare calls end with the answer."""
        ends = (self._tokenizer.decode([token]) for token in self._adapter.stop_ids)
        return min(
            (at for end in ends if end and (at := text.find(end, max(start, 0))) >= 0), default=len(text)
        )

    def _may_begin(self, text: str, place: int) -> bool:
        call_format = self._adapter.call_format
        begins = (call_format.begin, call_format.bare_begin) if call_format else ()
        return any(begin and text.startswith(begin, place) for begin in begins)

    def _reads(self, text: str) -> bool:
        reader = self._adapter.reader((), _request(_ASKED, tools=(_TOOL,)))
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
