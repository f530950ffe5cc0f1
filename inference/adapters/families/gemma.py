"""Gemma 1 to 4 and FunctionGemma: turns that end with <end_of_turn>, in Gemma 4 with <turn|>.

https://ai.google.dev/gemma/docs/core/prompt-structure - Gemma has no system role and wants turns to
alternate; its tokenizer names only <eos> as the end, which never comes behind an answer. Gemma 4 thinks in a
channel. It and FunctionGemma go on after a call with the mark of its result, which is the server's to write,
so that mark is an end too (https://ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices).
"""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from inference.adapters.base import Adapter, ModelFacts
from inference.adapters.chat_template import normalisation
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.tool_calls.gemma import FunctionGemmaCalls, GemmaCalls
from inference.core.requests import ChatRequest, Message, Tool

# Without these words FunctionGemma talks about its functions instead of calling them.
_CALLING = "You are a model that can do function calling with the following functions"


class Gemma(Adapter):
    name = "gemma"
    stop_tokens = ("<end_of_turn>", "<eos>")

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if not facts.model_type.startswith("gemma"):
            return False
        return "<start_of_turn>" in facts.chat_template or not facts.chat_template


class FunctionGemma(Adapter):
    name = "function_gemma"
    stop_tokens = ("<end_of_turn>", "<eos>", "<start_function_response>")
    tool_format = FunctionGemmaCalls

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return FunctionGemmaCalls.is_written_by(facts.chat_template)

    def render(self, request: ChatRequest) -> list[int]:
        is_told = any(message.role == "system" for message in request.messages)
        if request.tools and not is_told:
            told = Message(role="system", content=_CALLING)
            request = structs.replace(request, messages=(told, *request.messages))
        return super().render(request)

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        return super().fold(normalisation.with_names(messages))


class Gemma4(Adapter):
    name = "gemma4"
    stop_tokens = ("<turn|>", "<eos>", "<|tool_response>")
    reasoning = ("<|channel>thought", "<channel|>")
    tool_format = GemmaCalls

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if not facts.model_type.startswith("gemma4"):
            return False
        return "<|turn>" in facts.chat_template or not facts.chat_template

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        return super().fold(normalisation.with_names(messages))

    def words(
        self, messages: Sequence[Message], tools: Sequence[Tool], tongue: TemplateInput
    ) -> tuple[Turns, Turns]:
        """Results stand in the turn of their call, where the templates of its first months look for them."""
        turns: Turns = []
        said, functions = super().words(messages, tools, tongue)
        for turn in said:
            if turn["role"] != "tool" or not (turns and "tool_calls" in turns[-1]):
                turns += _apart(turn)
                continue
            told = {"name": turn.get("name", "unknown"), "response": turn["content"]}
            turns[-1].setdefault("tool_responses", []).append(told)
        return turns, functions


def _apart(turn: dict[str, Any]) -> Turns:
    """What is said before a call, in a turn of its own: the template would write it behind the results."""
    if not turn.get("tool_calls") or not turn["content"]:
        return [turn]
    # The template joins neighbours that are both the assistant's, and calls them both the model's.
    return [{"role": "model", "content": turn["content"]}, {**turn, "content": ""}]
