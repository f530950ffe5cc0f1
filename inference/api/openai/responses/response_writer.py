"""One response as it is made: its output items, and the events of a stream."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from inference.api.openai.responses import response_fields
from inference.api.openai.responses.item_ids import new_id
from inference.api.openai.responses.output_items import (
    CallOutput,
    CompactionOutput,
    CustomCallOutput,
    MessageOutput,
    OutputItem,
    ReasoningOutput,
    StreamEvent,
)
from inference.api.openai.schemas.offered_tools import OfferedTool
from inference.core.errors import ServerError
from inference.core.events import (
    Accepted,
    Compacted,
    Delta,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
)
from inference.core.requests import Sampling


class ResponsesWriter:
    """`note` each of the request's events; it yields the stream's events; `whole` is the response.

    `head` has the response's own fields (response_fields.py). `tools` are the tools that the model may call,
    by the names that it knows.
    """

    def __init__(
        self,
        head: dict[str, Any],
        tools: Mapping[str, OfferedTool],
        *,
        seals_reasoning: bool = False,
        summarises: bool = False,
        make_id: Callable[[str], str] = new_id,
    ) -> None:
        self._head = head
        self._tools = tools
        self._seals = seals_reasoning
        self._summarises = summarises
        self._make_id = make_id
        self._items: list[OutputItem] = []
        self._open: OutputItem | None = None
        self._silent: tuple[TokenLogprob, ...] = ()  # of tokens that have had no text yet
        self._is_cut = False

    def begin(self) -> Iterator[StreamEvent]:
        """The first events: the response is made, and waits or is in progress."""
        yield "response.created", {"response": self.whole}
        yield from self.beat()

    def start(self) -> Iterator[StreamEvent]:
        """The event of a response that waited, once it is in progress."""
        self._head["status"] = "in_progress"
        yield from self.beat()

    def beat(self) -> Iterator[StreamEvent]:
        """The event of its status, which is repeated in silences: some clients take comments for silence.

        No event once it has ended: that of its last status is sent once, after the response was stored.
        """
        if self._head["status"] in ("queued", "in_progress"):
            yield f"response.{self._head['status']}", {"response": self.whole}

    def note(self, event: Event) -> Iterator[StreamEvent]:
        match event:
            case Accepted(sampling=sampling) if sampling != Sampling():  # some runners draw nothing
                self._head |= response_fields.drawn_with(sampling)
            case Compacted(content=content):
                yield from self._compact(content)
            case TextDelta(text=""):  # it only counts tokens
                self._silent += event.logprobs
            case TextDelta() | ReasoningDelta() | ToolCallDelta():
                yield from self._add(event)
            case Ended(reason=reason):
                self._is_cut = reason == "length"
                if not self._is_cut and not self._has_answer:
                    yield from self._go_on(TextDelta(text=""))
                yield from self.close()
            case Finished(usage=usage):
                self._head |= (
                    response_fields.incomplete(usage) if self._is_cut else response_fields.completed(usage)
                )

    def close(self) -> Iterator[StreamEvent]:
        """End the item that is open."""
        item, self._open = self._open, None
        if item is None:
            return
        if isinstance(item, MessageOutput) and self._silent:
            item.add_logprobs(self._silent)
            self._silent = ()
        yield from item.end(is_cut=self._is_cut)

    def end(self) -> StreamEvent:
        """The last event of a stream, sent once the response is kept."""
        return response_fields.last_event(self._head["status"]), {"response": self.whole}

    def fail(self, error: ServerError) -> StreamEvent:
        return self._stop(response_fields.failed(error.code, error.message))

    def cancel(self) -> StreamEvent:
        return self._stop(response_fields.CANCELLED)

    def finish(self, fields: Mapping[str, Any]) -> StreamEvent:
        """The last event, with these fields of a response that was stored."""
        return self._stop(fields)

    @property
    def whole(self) -> dict[str, Any]:
        return {**self._head, "output": [dict(item.fields) for item in self._items]}

    @property
    def pieces(self) -> list[list[Any]]:
        """For each item, how its text was divided into deltas."""
        return [item.pieces for item in self._items]

    def _stop(self, fields: Mapping[str, Any]) -> StreamEvent:
        if self._open:
            self._open.fields["status"] = "incomplete"
        self._head |= fields
        return self.end()

    def _compact(self, content: str) -> Iterator[StreamEvent]:
        item = CompactionOutput(len(self._items), self._make_id("compaction"), content)
        self._items.append(item)
        yield from item.begin()
        yield from item.end(is_cut=False)

    def _add(self, delta: Delta) -> Iterator[StreamEvent]:
        if isinstance(delta, TextDelta) and self._silent:
            delta = TextDelta(text=delta.text, logprobs=(*self._silent, *delta.logprobs))
            self._silent = ()
        yield from self._go_on(delta)
        if self._open:
            yield from self._open.add(delta)

    @property
    def _has_answer(self) -> bool:
        """Whether there is more than thoughts: clients expect a message or a call, if with an empty text."""
        return any(isinstance(item, MessageOutput | CallOutput) for item in self._items)

    def _go_on(self, delta: Delta) -> Iterator[StreamEvent]:
        """Have the item open to which the delta belongs."""
        if self._open is not None and self._open.is_gone_on_with(delta):
            return
        yield from self.close()
        self._open = self._new(delta)
        self._items.append(self._open)
        yield from self._open.begin()

    def _new(self, delta: Delta) -> OutputItem:
        place = len(self._items)
        match delta:
            case TextDelta():
                return MessageOutput(place, self._make_id("message"))
            case ReasoningDelta():
                item_id = self._make_id("reasoning")
                return ReasoningOutput(place, item_id, seals=self._seals, summarises=self._summarises)
        tool = self._tools.get(delta.name)
        if tool and tool.kind == "custom":
            return CustomCallOutput(place, self._make_id("custom_tool_call"), delta, tool)
        return CallOutput(place, self._make_id("function_call"), delta, tool)
