"""Mistral, Devstral, Magistral: [INST] turns that end with </s>, two formats of [TOOL_CALLS], [THINK].

https://github.com/mistralai/mistral-common - ids of calls have nine letters or digits (tool_formats.py), and
Magistral reasons between [THINK] and [/THINK]; its first release wrote <think>. Templates that require
alternating turns do not count calls and results, so they reject a question after a result without an answer,
which agents send (https://github.com/anomalyco/opencode/issues/5034).
"""

from collections.abc import Sequence

from inference.adapters.base import Adapter
from inference.adapters.chat_template.template_probes import CALL_AND_RESULT
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.core.requests import Message

_TYPES = {"mistral", "mistral3", "mistral4", "ministral", "ministral3", "mixtral", "pixtral"}
_ANSWER_AFTER_RESULT = Message(role="assistant", content="Done.")


class Mistral(Adapter):
    name = "mistral"
    stop_tokens = ("</s>",)
    reasoning_marks = ("[THINK]", "[/THINK]")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        if (
            self.reasoning_marks[0] not in facts.chat_template
            and Adapter.reasoning_marks[0] in facts.chat_template
        ):
            self.reasoning_marks = Adapter.reasoning_marks
        super().__init__(facts, tokenizer)
        again = Message(role="user", content="probe-of-the-question")
        self._accepts_unanswered_result = self._probes.renders((*CALL_AND_RESULT, again), again.content)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        # Its fine-tunes often use ChatML, and some of its own models are published as llama.
        if "[TOOL_CALLS]" in facts.chat_template:
            return True
        return facts.model_type in _TYPES and "[INST]" in facts.chat_template

    def normalise(self, messages: Sequence[Message]) -> Sequence[Message]:
        normalised = super().normalise(messages)
        if self._accepts_unanswered_result:
            return normalised
        turns: list[Message] = []
        for message in normalised:
            if turns and message.role == "user" and turns[-1].role == "tool":
                turns.append(_ANSWER_AFTER_RESULT)
            turns.append(message)
        return turns
