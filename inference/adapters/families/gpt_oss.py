"""gpt-oss: the channels of harmony; an answer ends with <|return|>, one that calls a tool with <|call|>.

https://cookbook.openai.com/articles/openai-harmony - <|end|> ends a message and not the answer, so it is not
a stop token, although the template writes it after every turn of the history.
"""

from collections.abc import Sequence

from msgspec import structs

from inference.adapters.base import Adapter
from inference.adapters.channel_reader import ChannelReader
from inference.adapters.chat_template import normalisation
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.harmony import HarmonyReader
from inference.adapters.harmony_calls import CHANNEL, END, MARKS, MESSAGE, START, HarmonyCalls
from inference.adapters.model_facts import ModelFacts
from inference.adapters.reasoning_state import ReasoningState
from inference.adapters.thinking import ReasoningMarkers
from inference.adapters.tokenizer import Tokenizer
from inference.core.requests import ChatRequest, Message, Tool


class GptOss(Adapter):
    name = "gpt_oss"
    stop_tokens = ("<|return|>", "<|call|>", "<|endoftext|>")
    tool_format = HarmonyCalls

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        super().__init__(facts, tokenizer)
        self.stop_ids -= self._ids_of([END])
        # The reader needs every marker, whether or not the request has tools.
        self.hidden_ids = (self.hidden_ids | self.stop_ids) - self._ids_of(MARKS)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        is_harmony = "<|channel|>" in facts.chat_template and "<|message|>" in facts.chat_template
        return facts.model_type == "gpt_oss" and (is_harmony or not facts.chat_template)

    def normalise(self, messages: Sequence[Message]) -> Sequence[Message]:
        return [
            _with_one_analysis(message)
            for message in normalisation.one_call_a_turn(super().normalise(messages))
        ]

    def template_messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], template_input: TemplateInput
    ) -> tuple[Turns, Turns]:
        """The template expects reasoning in `thinking`, and decides which of it the model still sees."""
        turns, functions = super().template_messages(messages, tools, template_input)
        for turn in turns:
            if reasoning := turn.pop("reasoning_content", ""):
                turn["thinking"] = reasoning
        return turns, functions

    @property
    def can_reason(self) -> bool:
        return True

    def reasoning_markers(self, request: ChatRequest) -> ReasoningMarkers:
        following = f"{START}assistant" if request.tools else f"{START}assistant{CHANNEL}final{MESSAGE}"
        return ReasoningMarkers(f"{CHANNEL}analysis{MESSAGE}", END, following)

    def reasoning_state(
        self, prompt: Sequence[int], request: ChatRequest | None = None
    ) -> ReasoningState | None:
        return None  # it is a channel, which the reader and the grammars handle

    def reader(self, prompt: Sequence[int], request: ChatRequest) -> ChannelReader:
        tools = {tool.name: tool for tool in request.tools}
        return HarmonyReader(
            self.call_format,
            tools,
            several=request.may_call_several,
            is_forced=bool(request.must_call),
        )

    def hidden_from(self, request: ChatRequest) -> frozenset[int]:
        return self.hidden_ids

    def answer_rule(self, rule: str) -> str:
        return HarmonyCalls(self._tokenizer).final_message(rule)


def _with_one_analysis(message: Message) -> Message:
    """The template rejects a turn with a call, text and reasoning: text and reasoning become one."""
    if not (message.tool_calls and message.content and message.reasoning):
        return message
    return structs.replace(message, content="", reasoning=f"{message.reasoning}\n{message.content}")
