"""Parses the output of a model, token by token and in every split, and makes the models for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import llguidance
import llguidance.hf

from inference.adapters import Adapter, ModelFacts, adapter_for
from inference.adapters.piece import Piece
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.events import ReasoningDelta, TextDelta, ToolCallDelta
from inference.core.requests import ChatRequest, Message, Tool
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.text.answer import AnswerText
from tests.adapters.family_models import ADD, NOW, chat_request, hub_tokenizer

QUESTION = Message(role="user", content="2 and 3?")


@dataclass(frozen=True)
class ParsedAnswer:
    """The channels of an answer; each call is a function's name and its arguments as they were streamed."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()


def family(
    model_type: str, template: str, special: Sequence[str], *, eos: str = ""
) -> tuple[Adapter, HubTokenizer]:
    """The adapter of a family with these control tokens and this template, and a reduced tokenizer."""
    ends = {"eos_token": eos} if eos else {}
    tokenizer = hub_tokenizer(template or None, special, bos_token=special[0], **ends)
    facts = ModelFacts(config={"model_type": model_type}, chat_template=template)
    return adapter_for(facts, tokenizer), tokenizer


def prompt_text(
    adapter: Adapter, tokenizer: HubTokenizer, *turns: Message, tools: Sequence[Tool] = ()
) -> str:
    """The text of the prompt for these messages."""
    return tokenizer.decode(adapter.render(chat_request(*turns, tools=tuple(tools))))


def tools_request(*tools: Tool, several: bool = True) -> ChatRequest:
    return chat_request(QUESTION, tools=tools, may_call_several=several)


def prompt_of(adapter: Adapter) -> list[int]:
    """The prompt of a request; some templates open the reasoning at its end."""
    return adapter.render(tools_request()) if adapter.has_template else [0]


def parse_answer(
    adapter: Adapter, tokenizer: HubTokenizer, output: str, tools: Sequence[Tool] = (ADD, NOW)
) -> ParsedAnswer:
    """The channels of an answer whose tokens come one by one; markers spelled in `output` are tokens."""
    request, tokens = tools_request(*tools), tokenizer.encode(output)
    answer = AnswerText.of(request, prompt_of(adapter), tokenizer, adapter)
    events = [*(event for token in tokens for event in answer.feed(token)), *answer.flush()]
    calls: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            calls.setdefault(event.call, [event.name, ""])[1] += event.text
    assert answer.reason("stop") == ("tool_calls" if calls else "stop")
    return ParsedAnswer(
        text="".join(event.text for event in events if isinstance(event, TextDelta)),
        reasoning="".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        calls=tuple((name, arguments) for _, (name, arguments) in sorted(calls.items())),
    )


def parse_every_split(adapter: Adapter, output: str, tools: Sequence[Tool] = (ADD, NOW)) -> set[ParsedAnswer]:
    """The results of parsing `output` in two parts, for each place of the cut, and in single characters."""
    prompt = prompt_of(adapter)
    cuts = [[output[:at], output[at:]] for at in range(len(output))] + [list(output)]
    return {_read(adapter, prompt, pieces, tools) for pieces in cuts}


def _read(adapter: Adapter, prompt: Sequence[int], cut: Sequence[str], tools: Sequence[Tool]) -> ParsedAnswer:
    reader = adapter.reader(prompt, tools_request(*tools))
    pieces = [*(piece for text in cut for piece in reader.feed(text)), *reader.flush()]
    names = [piece.name for piece in pieces if piece.name]
    return ParsedAnswer(
        text=_joined(pieces, "text"),
        reasoning=_joined(pieces, "reasoning"),
        calls=tuple((name, _arguments(pieces, call)) for call, name in enumerate(names)),
    )


def _joined(pieces: Sequence[Piece], channel: str) -> str:
    return "".join(piece.text for piece in pieces if piece.channel == channel)


def _arguments(pieces: Sequence[Piece], call: int) -> str:
    return "".join(piece.text for piece in pieces if piece.channel == "tool" and piece.call == call)


def follows_grammar(
    tokenizer: HubTokenizer,
    format_of: type[ToolFormat],
    output: str,
    several: bool = True,
    tools: Sequence[Tool] = (ADD, NOW),
) -> bool:
    """Whether `output` follows the grammar of a required call of one of these tools."""
    return matches_grammar(tokenizer, format_of(tokenizer).lark(tools, several), output)


def matches_grammar(tokenizer: HubTokenizer, grammar: str, output: str) -> bool:
    """Whether this text, in the tokens of the tokenizer, is complete in an llguidance grammar."""
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(output)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()
