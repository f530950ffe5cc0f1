"""How a chat completion writes the calls of an answer: as `tool_calls`, or in the older form."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from inference.api.openai.custom_input import CustomInput
from inference.core.events import ToolCallDelta
from inference.core.requests import ToolCall

Fields = dict[str, Any]


class CallFormat(Protocol):
    """The fields that calls are in a message and in its deltas. One object writes one request's answers."""

    reason: str  # why an answer ends that ends with a call

    def delta(self, delta: ToolCallDelta) -> Fields:
        """What the delta adds; empty where that is nothing yet."""
        ...

    def rest(self, index: int) -> Fields:
        """What the answer of this index has beyond its deltas, at its end."""
        ...

    def whole(self, calls: Sequence[ToolCall]) -> Fields: ...


class ToolCallFormat:
    """`tool_calls`; of a custom tool's arguments only the one text is written, as `input`."""

    reason = "tool_calls"

    def __init__(self, custom: Collection[str] = ()) -> None:
        self._custom = custom
        self._inputs: dict[int, tuple[int, CustomInput]] = {}  # by answer: call and input that are not ended

    def delta(self, delta: ToolCallDelta) -> Fields:
        if delta.id:
            return {"tool_calls": [*self._ended(delta.index), self._begun(delta)]}
        call, custom_input = self._inputs.get(delta.index, (-1, None))
        if custom_input is None or call != delta.call:
            return {"tool_calls": [{"index": delta.call, "function": {"arguments": delta.text}}]}
        text = custom_input.add(delta.text)
        return {"tool_calls": [_more_input(call, text)]} if text else {}

    def rest(self, index: int) -> Fields:
        ended = self._ended(index)
        return {"tool_calls": ended} if ended else {}

    def whole(self, calls: Sequence[ToolCall]) -> Fields:
        return {"tool_calls": [self._call(call) for call in calls]}

    def _begun(self, delta: ToolCallDelta) -> Fields:
        if delta.name not in self._custom:
            return {"index": delta.call, **_function(delta.id, delta.name, delta.text)}
        custom_input = CustomInput()
        self._inputs[delta.index] = delta.call, custom_input
        return {"index": delta.call, **_custom(delta.id, delta.name, custom_input.add(delta.text))}

    def _ended(self, index: int) -> list[Fields]:
        """The last piece of the input that is written, where there is one."""
        if index not in self._inputs:
            return []
        call, custom_input = self._inputs.pop(index)
        text = custom_input.end()
        return [_more_input(call, text)] if text else []

    def _call(self, call: ToolCall) -> Fields:
        if call.name not in self._custom:
            return _function(call.id, call.name, call.arguments)
        return _custom(call.id, call.name, CustomInput.of(call.arguments))


class FunctionCallFormat:
    """`function_call`: there is one call, and it has no id."""

    reason = "function_call"

    def delta(self, delta: ToolCallDelta) -> Fields:
        name = {"name": delta.name} if delta.name else {}
        return {"function_call": {**name, "arguments": delta.text}}

    def rest(self, index: int) -> Fields:
        return {}

    def whole(self, calls: Sequence[ToolCall]) -> Fields:
        return {"function_call": {"name": calls[0].name, "arguments": calls[0].arguments}}


def _function(call_id: str, name: str, arguments: str) -> Fields:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _custom(call_id: str, name: str, text: str) -> Fields:
    return {"id": call_id, "type": "custom", "custom": {"name": name, "input": text}}


def _more_input(call: int, text: str) -> Fields:
    return {"index": call, "custom": {"input": text}}
