"""One output item of a response as it is made: each kind, its fields and its events."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from inference.api.http import sealed_text
from inference.api.openai.custom_input import CustomInput
from inference.api.openai.responses.input_items import REASONING
from inference.api.openai.schemas.offered_tools import OfferedTool
from inference.core.events import Delta, ReasoningDelta, TextDelta, TokenLogprob, ToolCallDelta

StreamEvent = tuple[str, dict[str, Any]]  # type and fields, without its number


class OutputItem(ABC):
    """`begin`, `add` each delta, `end`: each yields events. `pieces` are the sizes of the deltas sent."""

    def __init__(self, place: int, item_id: str, kind: str, **fields: Any) -> None:
        self.fields: dict[str, Any] = {"id": item_id, "type": kind, "status": "in_progress", **fields}
        self.pieces: list[Any] = []
        self._place = place
        self._where = {"item_id": item_id, "output_index": place}

    @abstractmethod
    def is_gone_on_with(self, delta: Delta) -> bool:
        """Whether this delta belongs to the item."""

    def begin(self) -> Iterator[StreamEvent]:
        yield "response.output_item.added", {"output_index": self._place, "item": dict(self.fields)}

    @abstractmethod
    def add(self, delta: Delta) -> Iterator[StreamEvent]:
        """Add a delta that belongs to the item."""

    def end(self, *, is_cut: bool) -> Iterator[StreamEvent]:
        """End the item; a cut one is what the longest answer had left of it."""
        self.fields["status"] = "incomplete" if is_cut else "completed"
        yield from self._done()
        yield "response.output_item.done", {"output_index": self._place, "item": dict(self.fields)}

    @abstractmethod
    def _done(self) -> Iterator[StreamEvent]:
        """The events between the last delta and the end of the item."""


class MessageOutput(OutputItem):
    """The answer's text."""

    def __init__(self, place: int, item_id: str) -> None:
        super().__init__(place, item_id, "message", content=[], role="assistant")
        self._part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}

    def is_gone_on_with(self, delta: Delta) -> bool:
        return isinstance(delta, TextDelta)

    def begin(self) -> Iterator[StreamEvent]:
        yield from super().begin()
        self.fields["content"] = [self._part]
        fields = {"content_index": 0, "part": {**self._part, "logprobs": []}}
        yield "response.content_part.added", {**self._where, **fields}

    def add(self, delta: Delta) -> Iterator[StreamEvent]:
        logprobs = logprobs_of(delta.logprobs)
        self._part["text"] += delta.text
        self._part["logprobs"] += logprobs
        self.pieces.append([len(delta.text), len(logprobs)] if logprobs else len(delta.text))
        fields = {"content_index": 0, "delta": delta.text, "logprobs": logprobs}
        yield "response.output_text.delta", {**self._where, **fields}

    def add_logprobs(self, logprobs: Sequence[TokenLogprob]) -> None:
        """Those of tokens at the end of the answer that have no text."""
        self._part["logprobs"] += logprobs_of(logprobs)

    def _done(self) -> Iterator[StreamEvent]:
        where = {**self._where, "content_index": 0}
        text = {"text": self._part["text"], "logprobs": self._part["logprobs"]}
        yield "response.output_text.done", {**where, **text}
        yield "response.content_part.done", {**where, "part": dict(self._part)}


class ReasoningOutput(OutputItem):
    """The model's reasoning: its text, the same as a summary where one is asked for, and sealed."""

    def __init__(self, place: int, item_id: str, *, seals: bool, summarises: bool) -> None:
        super().__init__(place, item_id, "reasoning", content=[], summary=[])
        self._seals = seals
        self._part = {"type": "reasoning_text", "text": ""}
        self._summary = {"type": "summary_text", "text": ""} if summarises else None

    def is_gone_on_with(self, delta: Delta) -> bool:
        return isinstance(delta, ReasoningDelta)

    def begin(self) -> Iterator[StreamEvent]:
        yield from super().begin()
        if self._summary:
            self.fields["summary"] = [self._summary]
            fields = {"summary_index": 0, "part": dict(self._summary)}
            yield "response.reasoning_summary_part.added", {**self._where, **fields}
        self.fields["content"] = [self._part]
        yield "response.content_part.added", {**self._where, "content_index": 0, "part": dict(self._part)}

    def add(self, delta: Delta) -> Iterator[StreamEvent]:
        self.pieces.append(len(delta.text))
        if self._summary:
            self._summary["text"] += delta.text
            fields: dict[str, Any] = {"summary_index": 0, "delta": delta.text}
            yield "response.reasoning_summary_text.delta", {**self._where, **fields}
        self._part["text"] += delta.text
        fields = {"content_index": 0, "delta": delta.text}
        yield "response.reasoning_text.delta", {**self._where, **fields}

    def _done(self) -> Iterator[StreamEvent]:
        text = self._part["text"]
        if self._summary:
            where = {**self._where, "summary_index": 0}
            yield "response.reasoning_summary_text.done", {**where, "text": text}
            yield "response.reasoning_summary_part.done", {**where, "part": dict(self._summary)}
        where = {**self._where, "content_index": 0}
        yield "response.reasoning_text.done", {**where, "text": text}
        yield "response.content_part.done", {**where, "part": dict(self._part)}
        if self._seals:
            self.fields["encrypted_content"] = sealed_text.seal(text, REASONING)


class CompactionOutput(OutputItem):
    """What stands for a conversation that was too long; whole as soon as it begins."""

    def __init__(self, place: int, item_id: str, content: str) -> None:
        super().__init__(place, item_id, "compaction", encrypted_content=content)
        del self.fields["status"]  # these items have none

    def is_gone_on_with(self, delta: Delta) -> bool:
        return False

    def add(self, delta: Delta) -> Iterator[StreamEvent]:
        yield from ()

    def _done(self) -> Iterator[StreamEvent]:
        yield from ()

    def end(self, *, is_cut: bool) -> Iterator[StreamEvent]:
        yield "response.output_item.done", {"output_index": self._place, "item": dict(self.fields)}


class CallOutput(OutputItem):
    """A call of a function, under the client's own names."""

    def __init__(self, place: int, item_id: str, delta: ToolCallDelta, tool: OfferedTool | None) -> None:
        names = {"name": tool.name if tool else delta.name}
        if tool and tool.namespace:
            names["namespace"] = tool.namespace
        super().__init__(place, item_id, self._kind, call_id=delta.id, **names, **{self._text: ""})
        self._call = delta.call

    _kind, _text, _event = "function_call", "arguments", "response.function_call_arguments"

    def is_gone_on_with(self, delta: Delta) -> bool:
        return isinstance(delta, ToolCallDelta) and delta.call == self._call

    def add(self, delta: Delta) -> Iterator[StreamEvent]:
        yield from self._add(delta.text)

    def _add(self, text: str) -> Iterator[StreamEvent]:
        if text:
            self.pieces.append(len(text))
            self.fields[self._text] += text
            yield f"{self._event}.delta", {**self._where, "delta": text}

    def _done(self) -> Iterator[StreamEvent]:
        fields = {"name": self.fields["name"], "arguments": self.fields["arguments"]}
        yield f"{self._event}.done", {**self._where, **fields}


class CustomCallOutput(CallOutput):
    """A call of a custom tool: the text in the arguments of the function that it was offered as."""

    _kind, _text, _event = "custom_tool_call", "input", "response.custom_tool_call_input"

    def __init__(self, place: int, item_id: str, delta: ToolCallDelta, tool: OfferedTool) -> None:
        super().__init__(place, item_id, delta, tool)
        self._input = CustomInput()

    def add(self, delta: Delta) -> Iterator[StreamEvent]:
        yield from self._add(self._input.add(delta.text))

    def _done(self) -> Iterator[StreamEvent]:
        yield from self._add(self._input.end())
        yield f"{self._event}.done", {**self._where, "input": self.fields["input"]}


def logprobs_of(tokens: Sequence[TokenLogprob]) -> list[dict[str, Any]]:
    """Log probabilities as OpenAI gives them."""
    return [_token(token) | {"top_logprobs": [_token(other) for other in token.top]} for token in tokens]


def _token(token: TokenLogprob) -> dict[str, Any]:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.bytes)}
