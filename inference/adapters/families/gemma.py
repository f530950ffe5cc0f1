"""Gemma 1 to 4 and FunctionGemma: turns that end with <end_of_turn>, in Gemma 4 with <turn|>.

https://ai.google.dev/gemma/docs/core/prompt-structure - Gemma has no system role and requires alternating
turns; its tokenizer lists only <eos> as the end, which never follows an answer. Gemma 4 reasons in a channel.
It and FunctionGemma continue after a call with the marker of its result, which the server has to write, so
this marker is a stop token, too
(https://ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices).
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import structs

from inference.adapters.base import Adapter
from inference.adapters.chat_template import normalisation
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tool_calls.gemma import FunctionGemmaCalls, GemmaCalls
from inference.core.requests import ChatRequest, Message, Tool

# Without this text FunctionGemma talks about its functions instead of calling them.
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
        return FunctionGemmaCalls.is_used_by(facts.chat_template)

    def render(self, request: ChatRequest, expand: Callable[[str], str] = str) -> list[int]:
        has_system = any(message.role == "system" for message in request.messages)
        if request.tools and not has_system:
            system = Message(role="system", content=_CALLING)
            request = structs.replace(request, messages=(system, *request.messages))
        return super().render(request, expand)

    def normalise(self, messages: Sequence[Message]) -> Sequence[Message]:
        return super().normalise(normalisation.with_names(messages))


class Gemma4(Adapter):
    name = "gemma4"
    stop_tokens = ("<turn|>", "<eos>", "<|tool_response>")
    reasoning_marks = ("<|channel>thought", "<channel|>")
    tool_format = GemmaCalls

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if not facts.model_type.startswith("gemma4"):
            return False
        return "<|turn>" in facts.chat_template or not facts.chat_template

    def normalise(self, messages: Sequence[Message]) -> Sequence[Message]:
        return super().normalise(normalisation.with_names(messages))

    def template_messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], template_input: TemplateInput
    ) -> tuple[Turns, Turns]:
        """Results are part of the turn of their call, where the first templates expect them."""
        turns: Turns = []
        plain, functions = super().template_messages(messages, tools, template_input)
        for turn in plain:
            if turn["role"] != "tool" or not (turns and "tool_calls" in turns[-1]):
                turns += _with_text_apart(turn)
                continue
            response = {"name": turn.get("name", "unknown"), "response": turn["content"]}
            turns[-1].setdefault("tool_responses", []).append(response)
        return turns, functions


def _with_text_apart(turn: dict[str, Any]) -> Turns:
    """Text before a call gets a turn of its own: the template would write it behind the results."""
    if not turn.get("tool_calls") or not turn["content"]:
        return [turn]
    # The template would join two turns of the role assistant; it writes both roles as model.
    return [{"role": "model", "content": turn["content"]}, {**turn, "content": ""}]
