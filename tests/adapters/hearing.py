"""What is heard of an answer that a model has said: token by token, and through the reader in every split."""

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
from tests.adapters.family_models import ADD, NOW, asking, hub_tokenizer

ASKED = Message(role="user", content="2 and 3?")


@dataclass(frozen=True)
class Heard:
    """An answer's channels; each call is its function's name and its arguments as they were told."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()


def family(
    model_type: str, template: str, special: Sequence[str], *, eos: str = ""
) -> tuple[Adapter, HubTokenizer]:
    """The adapter of a family that no package has a tokenizer of: its control tokens and its template."""
    ends = {"eos_token": eos} if eos else {}
    tokenizer = hub_tokenizer(template or None, special, bos_token=special[0], **ends)
    facts = ModelFacts(config={"model_type": model_type}, chat_template=template)
    return adapter_for(facts, tokenizer), tokenizer


def written(adapter: Adapter, tokenizer: HubTokenizer, *turns: Message, tools: Sequence[Tool] = ()) -> str:
    """The text of the prompt for these turns."""
    return tokenizer.decode(adapter.render(asking(*turns, tools=tuple(tools))))


def asked(*tools: Tool, several: bool = True) -> ChatRequest:
    return asking(ASKED, tools=tools, may_call_several=several)


def prompt_of(adapter: Adapter) -> list[int]:
    """The end of a prompt, where some templates open the reasoning."""
    return adapter.render(asked()) if adapter.has_template else [0]


def heard(adapter: Adapter, tokenizer: HubTokenizer, said: str, tools: Sequence[Tool] = (ADD, NOW)) -> Heard:
    """The channels of an answer whose tokens come one by one; the marks written in `said` are tokens."""
    request, tokens = asked(*tools), tokenizer.encode(said)
    answer = AnswerText.of(request, prompt_of(adapter), tokenizer, adapter)
    events = [*(event for token in tokens for event in answer.feed(token)), *answer.flush()]
    calls: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            calls.setdefault(event.call, [event.name, ""])[1] += event.text
    assert answer.reason("stop") == ("tool_calls" if calls else "stop")
    return Heard(
        text="".join(event.text for event in events if isinstance(event, TextDelta)),
        reasoning="".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        calls=tuple((name, arguments) for _, (name, arguments) in sorted(calls.items())),
    )


def heard_in_every_split(adapter: Adapter, said: str, tools: Sequence[Tool] = (ADD, NOW)) -> set[Heard]:
    """What the reader gives for `said` in two pieces, wherever it is cut, and in single characters."""
    prompt = prompt_of(adapter)
    cuts = [[said[:at], said[at:]] for at in range(len(said))] + [list(said)]
    return {_read(adapter, prompt, pieces, tools) for pieces in cuts}


def _read(adapter: Adapter, prompt: Sequence[int], cut: Sequence[str], tools: Sequence[Tool]) -> Heard:
    reader = adapter.reader(prompt, asked(*tools))
    pieces = [*(piece for text in cut for piece in reader.feed(text)), *reader.flush()]
    names = [piece.name for piece in pieces if piece.name]
    return Heard(
        text=_joined(pieces, "text"),
        reasoning=_joined(pieces, "reasoning"),
        calls=tuple((name, _arguments(pieces, call)) for call, name in enumerate(names)),
    )


def _joined(pieces: Sequence[Piece], channel: str) -> str:
    return "".join(piece.text for piece in pieces if piece.channel == channel)


def _arguments(pieces: Sequence[Piece], call: int) -> str:
    return "".join(piece.text for piece in pieces if piece.channel == "tool" and piece.call == call)


def follows(
    tokenizer: HubTokenizer,
    format_of: type[ToolFormat],
    said: str,
    several: bool = True,
    tools: Sequence[Tool] = (ADD, NOW),
) -> bool:
    """Whether a whole answer follows the grammar of a required call of these tools."""
    return is_said_in(tokenizer, format_of(tokenizer).lark(tools, several), said)


def is_said_in(tokenizer: HubTokenizer, grammar: str, said: str) -> bool:
    """Whether this text, in these tokens, is the whole of what an llguidance grammar wants."""
    matcher = llguidance.LLMatcher(llguidance.hf.from_tokenizer(tokenizer.hub), grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.encode(said)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()
