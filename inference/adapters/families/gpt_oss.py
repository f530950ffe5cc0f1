"""gpt-oss: harmony's channels; an answer ends with <|return|>, one that calls a tool with <|call|>.

https://cookbook.openai.com/articles/openai-harmony - <|end|> ends a message and not the answer, so it must
stop nothing, though the template writes it behind every turn of a history.
"""

from collections.abc import Sequence

from msgspec import structs

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.channel_reader import ChannelReader, Thinking
from inference.adapters.chat_template import normalisation
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.harmony import END, MARKS, HarmonyCalls, HarmonyReader
from inference.core.requests import ChatRequest, Message, Tool


class GptOss(Adapter):
    name = "gpt_oss"
    stop_tokens = ("<|return|>", "<|call|>", "<|endoftext|>")
    tool_format = HarmonyCalls

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        super().__init__(facts, tokenizer)
        self.stop_ids -= self._ids_of([END])
        # The reader needs every mark, whether or not there are tools.
        self.hidden_ids = (self.hidden_ids | self.stop_ids) - self._ids_of(MARKS)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        is_told = "<|channel|>" in facts.chat_template and "<|message|>" in facts.chat_template
        return facts.model_type == "gpt_oss" and (is_told or not facts.chat_template)

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        return [
            _with_one_thought(message) for message in normalisation.one_call_a_turn(super().fold(messages))
        ]

    def words(
        self, messages: Sequence[Message], tools: Sequence[Tool], tongue: TemplateInput
    ) -> tuple[Turns, Turns]:
        """Its template has reasoning as `thinking`; which of it is still read, the template decides."""
        turns, functions = super().words(messages, tools, tongue)
        for turn in turns:
            if thought := turn.pop("reasoning_content", ""):
                turn["thinking"] = thought
        return turns, functions

    def thinking(self, prompt: Sequence[int]) -> Thinking | None:
        return None  # it is a channel: the reader and the grammars know

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

    def framed(self, rule: str) -> str:
        return HarmonyCalls(self._tokenizer).final(rule)


def _with_one_thought(message: Message) -> Message:
    """The template refuses words beside a thought where there is a call: then both are the thought."""
    if not (message.tool_calls and message.content and message.reasoning):
        return message
    return structs.replace(message, content="", reasoning=f"{message.reasoning}\n{message.content}")
