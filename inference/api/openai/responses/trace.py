"""How the stream of a stored response was divided into events, and the same stream again.

A trace has the sizes of each item's deltas and the numbers of events that had nothing new. All else of the
events follows from the response.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

import msgspec

from inference.api.http import sse
from inference.api.openai.responses import response_fields
from inference.api.openai.responses.output_items import StreamEvent
from inference.api.openai.responses.response_writer import ResponsesWriter
from inference.api.openai.schemas.custom_tools import CUSTOM_INPUT
from inference.api.openai.schemas.offered_tools import OfferedTool
from inference.core.events import (
    Compacted,
    Delta,
    Ended,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
)
from inference.core.requests import Tool

_STATUS_EVENTS = frozenset({"response.queued", "response.in_progress"})
_ANSWERS = frozenset({"message", "function_call", "custom_tool_call"})


class Trace(TypedDict, total=False):
    """What is stored of a stream."""

    pieces: list[list[Any]]  # for each item its deltas' characters, or characters and log probabilities
    beats: list[int]  # numbers of events that repeat the one of the status
    was_queued_only: bool  # whether the model never began to answer


class NumberedEvents:
    """Numbers a stream's events and frames them; it remembers the numbers of those that had nothing new."""

    def __init__(self) -> None:
        self.count = 0
        self.beats: list[int] = []

    def framed(self, events: Iterable[StreamEvent]) -> bytes:
        return b"".join(self._frame(kind, fields) for kind, fields in events)

    def beat(self) -> None:
        """The next event says nothing new."""
        self.beats.append(self.count)

    def encoded(self, kind: str, fields: dict[str, Any]) -> bytes:
        """One event as JSON, with its number."""
        number, self.count = self.count, self.count + 1
        return msgspec.json.encode({"type": kind, "sequence_number": number, **fields})

    def _frame(self, kind: str, fields: dict[str, Any]) -> bytes:
        return sse.event(self.encoded(kind, fields), name=kind)


def replayed(body: Mapping[str, Any], trace: Trace, after: int = -1) -> Iterator[bytes]:
    """The frames of a stored response's events whose numbers are above `after`, and [DONE]."""
    beats = set(trace.get("beats", ()))
    numbered = NumberedEvents()
    status: list[StreamEvent] = []  # the event that is repeated in silences
    for event in _events(body, trace):
        while numbered.count in beats:
            beat = numbered.framed(status)
            if numbered.count - 1 > after:
                yield beat
        if event[0] in _STATUS_EVENTS:
            status = [event]
        frame = numbered.framed([event])
        if numbered.count - 1 > after:
            yield frame
    yield sse.DONE


def _events(body: Mapping[str, Any], trace: Trace) -> Iterator[StreamEvent]:
    output: Sequence[dict[str, Any]] = body["output"]
    ids = iter([item["id"] for item in output])
    writer = ResponsesWriter(
        response_fields.begun_again(body),
        {str(place): _tool(item) for place, item in enumerate(output) if "name" in item},
        seals_reasoning=any(item["type"] == "reasoning" and "encrypted_content" in item for item in output),
        summarises=any(item.get("summary") for item in output),
        make_id=lambda kind: next(ids),
    )
    yield from writer.begin()
    if body["background"] and not trace.get("was_queued_only"):
        yield from writer.start()
    pieces = trace.get("pieces", [])
    for place, item in enumerate(output):
        for delta in _deltas(place, item, pieces[place] if place < len(pieces) else None):
            yield from writer.note(delta)
    was_broken_off = body["status"] in ("failed", "cancelled")
    if not (was_broken_off and output and output[-1].get("status") == "incomplete"):
        is_cut = body["status"] == "incomplete"
        # The end of a whole answer adds a message where there is none: one that was broken off has none.
        if is_cut or any(item["type"] in _ANSWERS for item in output):
            yield from writer.note(Ended(reason="length" if is_cut else "stop"))
        else:
            yield from writer.close()
    yield writer.finish({name: value for name, value in body.items() if name != "output"})


def _tool(item: Mapping[str, Any]) -> OfferedTool:
    kind: Any = "custom" if item["type"] == "custom_tool_call" else "function"
    return OfferedTool(Tool(name=""), kind, item["name"], item.get("namespace"), "", is_strict=False)


def _deltas(place: int, item: Mapping[str, Any], pieces: Sequence[Any] | None) -> Iterator[Delta | Compacted]:
    """What made an item: the model's text in these pieces, or else in one."""
    match item["type"]:
        case "compaction":
            yield Compacted(content=item["encrypted_content"])
        case "message":
            part = item["content"][0]
            yield from _texts(part["text"], part.get("logprobs", []), pieces)
        case "reasoning":
            for text in _sliced(item["content"][0]["text"], pieces):
                yield ReasoningDelta(text=text)
        case "function_call":
            yield ToolCallDelta(call=place, id=item["call_id"], name=str(place))
            for text in _sliced(item["arguments"], pieces):
                yield ToolCallDelta(call=place, text=text)
        case "custom_tool_call":
            opening = f'{{"{CUSTOM_INPUT}": "'
            yield ToolCallDelta(call=place, id=item["call_id"], name=str(place), text=opening)
            for text in _sliced(item["input"], pieces):
                yield ToolCallDelta(call=place, text=json.dumps(text)[1:-1])


def _texts(text: str, logprobs: Sequence[Any], pieces: Sequence[Any] | None) -> Iterator[Delta]:
    if pieces is None:
        pieces = [[len(text), len(logprobs)]]
    tokens = [_token(one) for one in logprobs]
    at = token_at = 0
    for piece in pieces:
        size, count = piece if isinstance(piece, list) else (piece, 0)
        yield TextDelta(text=text[at : at + size], logprobs=tuple(tokens[token_at : token_at + count]))
        at, token_at = at + size, token_at + count
    if rest := tokens[token_at:]:
        yield TextDelta(text="", logprobs=tuple(rest))


def _token(written: Mapping[str, Any]) -> TokenLogprob:
    return TokenLogprob(
        text=written["token"],
        bytes=tuple(written["bytes"]),
        logprob=written["logprob"],
        top=tuple(_token(other) for other in written.get("top_logprobs", ())),
    )


def _sliced(text: str, pieces: Sequence[int] | None) -> Iterator[str]:
    at = 0
    for size in [len(text)] if pieces is None else pieces:
        yield text[at : at + size]
        at += size
