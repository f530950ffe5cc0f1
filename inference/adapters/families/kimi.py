"""Kimi K2: turns that end with <|im_end|>, calls by ids that count them, functions.name:0.

https://huggingface.co/moonshotai/Kimi-K2-Instruct/blob/main/docs/tool_call_guidance.md - the template writes
the id of a call and not its name, and with ids of another form the model calls no more; so each call of a
history has the id here that the model would have given it. Its config names [EOS], which ends no answer. It
calls while it thinks, and does not say then that it has thought enough (vllm-project/vllm#32216).
"""

from collections.abc import Sequence

from msgspec import structs

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.chat_template import normalisation
from inference.adapters.tool_calls.marked import NAME, SPACE, MarkedCalls, chars, heads
from inference.core.requests import Message, Tool, ToolCall

_CALL, _CALL_END = "<|tool_call_begin|>", "<|tool_call_end|>"
_ARGUMENTS = "<|tool_call_argument_begin|>"
_COUNTED = (NAME, *chars(":"), "[0-9]{1,6}", *chars(_ARGUMENTS))


class KimiCalls(MarkedCalls):
    name = "kimi"
    begin, end = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
    before, after = f"{_CALL}functions.", _CALL_END
    heads = heads(_CALL, (*chars("functions."), *_COUNTED), (SPACE, *_COUNTED))
    closing = (_CALL_END, _CALL, end)
    separator = _CALL
    other_begins = (_CALL,)  # some calls have no section around them
    is_in_thoughts = True

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, _CALL, _CALL_END, _ARGUMENTS

    def _call(self, tool: Tool, arguments: str) -> str:
        opened = self._said(f"{self.before}{tool.name}:")
        counted = f"/[0-9]{{1,4}}/ {self._said(_ARGUMENTS)}"
        return f"{opened} {counted} {arguments} {self._said(self.after)}"


_GIVEN = ToolCall(id="functions.probe:7", name="probe", arguments="{}")
_CALLED = (Message(role="user", content="hi"), Message(role="assistant", content="", tool_calls=(_GIVEN,)))


class Kimi(Adapter):
    name = "kimi"
    stop_tokens = ("<|im_end|>", "[EOS]")
    tool_format = KimiCalls

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        super().__init__(facts, tokenizer)
        # The first release counts in its template, in each turn anew, and takes the ids of results as given.
        self._counts_through = self._has_place_for(_CALLED, _GIVEN.id)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        # Moonlight and K2 are published as deepseek_v3, too: the template tells.
        return "<|im_middle|>" in facts.chat_template and "<|im_assistant|>" in facts.chat_template

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        return self._counted(normalisation.with_names(super().fold(messages)))

    def _counted(self, messages: Sequence[Message]) -> list[Message]:
        """Calls and their results with the ids that the model itself gives."""
        turns: list[Message] = []
        ids: dict[str, str] = {}
        count = 0
        for message in messages:
            calls = []
            count = count if self._counts_through else 0
            for call in message.tool_calls:
                ids[call.id] = f"functions.{call.name}:{count}"
                calls.append(structs.replace(call, id=ids[call.id]))
                count += 1
            told = ids.get(message.tool_call_id, message.tool_call_id)
            turns.append(structs.replace(message, tool_calls=tuple(calls), tool_call_id=told))
        return turns
