"""Mistral, Devstral, Magistral: [INST] turns that end with </s>, [TOOL_CALLS] in two forms, [THINK].

https://github.com/mistralai/mistral-common - ids of calls have nine letters or digits (tool_formats.py), and
Magistral thinks between [THINK] and [/THINK]; its first release wrote <think>. Templates that want turns to
alternate do not count calls and results, so they refuse a question behind a result that nobody has answered,
which is what agents send (https://github.com/anomalyco/opencode/issues/5034).
"""

from collections.abc import Sequence

from inference.adapters.base import CALLED, Adapter, ModelFacts, Tokenizer
from inference.core.requests import Message

_TYPES = {"mistral", "mistral3", "mistral4", "ministral", "ministral3", "mixtral", "pixtral"}
_ANSWER = Message(role="assistant", content="Done.")


class Mistral(Adapter):
    name = "mistral"
    stop_tokens = ("</s>",)
    reasoning = ("[THINK]", "[/THINK]")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        if self.reasoning[0] not in facts.chat_template and Adapter.reasoning[0] in facts.chat_template:
            self.reasoning = Adapter.reasoning
        super().__init__(facts, tokenizer)
        again = Message(role="user", content="probe-of-the-question")
        self._takes_unanswered = self._has_place_for((*CALLED, again), again.content)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        # Fine-tunes of it often speak ChatML, and some of its own are published as llama.
        if "[TOOL_CALLS]" in facts.chat_template:
            return True
        return facts.model_type in _TYPES and "[INST]" in facts.chat_template

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        folded = super().fold(messages)
        if self._takes_unanswered:
            return folded
        turns: list[Message] = []
        for message in folded:
            if turns and message.role == "user" and turns[-1].role == "tool":
                turns.append(_ANSWER)
            turns.append(message)
        return turns
