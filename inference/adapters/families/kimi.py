"""Kimi K2: turns that end with <|im_end|>, and calls whose ids number them: functions.name:0.

https://huggingface.co/moonshotai/Kimi-K2-Instruct/blob/main/docs/tool_call_guidance.md - the template renders
the id of a call and not its name, and after ids of another form the model stops calling; so each call of the
history gets the id that the model would have given it. Its config lists [EOS], which ends no answer. It calls
inside its reasoning without closing it (https://github.com/vllm-project/vllm/issues/32216).
"""

from collections.abc import Sequence

from msgspec import structs

from inference.adapters.base import Adapter
from inference.adapters.chat_template import normalisation
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.call_prefix import SPACE, chars
from inference.adapters.tool_calls.marked import NAME, MarkedCalls, marked_prefixes
from inference.core.requests import Message, Tool, ToolCall

_CALL, _CALL_END = "<|tool_call_begin|>", "<|tool_call_end|>"
_ARGUMENTS = "<|tool_call_argument_begin|>"
_NUMBERED = (NAME, *chars(":"), "[0-9]{1,6}", *chars(_ARGUMENTS))


class KimiCalls(MarkedCalls):
    name = "kimi"
    begin, end = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
    before, after = f"{_CALL}functions.", _CALL_END
    prefixes = marked_prefixes(_CALL, (*chars("functions."), *_NUMBERED), (SPACE, *_NUMBERED))
    closing = (_CALL_END, _CALL, end)
    separator = _CALL
    other_begins = (_CALL,)  # some calls have no section
    is_in_reasoning = True

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, _CALL, _CALL_END, _ARGUMENTS

    def _call_rule(self, tool: Tool, arguments: str) -> str:
        opened = self._text_rule(f"{self.before}{tool.name}:")
        numbered = f"/[0-9]{{1,4}}/ {self._text_rule(_ARGUMENTS)}"
        return f"{opened} {numbered} {arguments} {self._text_rule(self.after)}"


_PROBE_CALL = ToolCall(id="functions.probe:7", name="probe", arguments="{}")
_PROBE = (
    Message(role="user", content="hi"),
    Message(role="assistant", content="", tool_calls=(_PROBE_CALL,)),
)


class Kimi(Adapter):
    name = "kimi"
    stop_tokens = ("<|im_end|>", "[EOS]")
    tool_format = KimiCalls

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        super().__init__(facts, tokenizer)
        # The template of the first release numbers calls itself, starting again in each turn, and writes the
        # ids of results as they are.
        self._numbers_calls_across_turns = self._probes.renders(_PROBE, _PROBE_CALL.id)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        # Moonlight and K2 are also published as deepseek_v3, so the template decides.
        return "<|im_middle|>" in facts.chat_template and "<|im_assistant|>" in facts.chat_template

    def normalise(self, messages: Sequence[Message]) -> Sequence[Message]:
        return self._with_numbered_ids(normalisation.with_names(super().normalise(messages)))

    def _with_numbered_ids(self, messages: Sequence[Message]) -> list[Message]:
        """Calls and their results with the ids that the model itself would give."""
        turns: list[Message] = []
        ids: dict[str, str] = {}
        count = 0
        for message in messages:
            calls = []
            count = count if self._numbers_calls_across_turns else 0
            for call in message.tool_calls:
                ids[call.id] = f"functions.{call.name}:{count}"
                calls.append(structs.replace(call, id=ids[call.id]))
                count += 1
            result_id = ids.get(message.tool_call_id, message.tool_call_id)
            turns.append(structs.replace(message, tool_calls=tuple(calls), tool_call_id=result_id))
        return turns
