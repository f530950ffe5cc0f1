"""One response as it is made: its output items, and the events of a stream."""

from collections.abc import Iterator
from typing import Any

from inference.api.openai.responses import response_fields
from inference.api.openai.responses.output_items import new_id
from inference.api.openai.schemas import ResponseBody
from inference.core.errors import ServerError
from inference.core.events import (
    Accepted,
    Delta,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from inference.core.requests import Sampling

StreamEvent = tuple[str, dict[str, Any]]  # type and fields, without its number


class ResponseAnswer:
    """`note` each of the request's events; it yields the stream's events; `whole` is the response."""

    def __init__(self, response_id: str, body: ResponseBody) -> None:
        self._head = response_fields.begun(response_id, body)
        self._output: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._call = -1
        self._is_cut = False

    def begin(self) -> Iterator[StreamEvent]:
        yield "response.created", {"response": self.whole}
        yield "response.in_progress", {"response": self.whole}

    def note(self, event: Event) -> Iterator[StreamEvent]:
        match event:
            case Accepted(sampling=sampling) if sampling != Sampling():  # some runners draw nothing
                self._head |= response_fields.drawn_with(sampling)
            case TextDelta(text=""):  # it only tells of tokens
                return
            case TextDelta():
                yield from self._add_text(event, "message", "output_text")
            case ReasoningDelta():
                yield from self._add_text(event, "reasoning", "reasoning_text")
            case ToolCallDelta():
                yield from self._add_to_call(event)
            case Ended(reason=reason):
                self._is_cut = reason == "length"
                yield from self._close()
            case Finished(usage=usage):
                self._head |= (
                    response_fields.incomplete(usage) if self._is_cut else response_fields.completed(usage)
                )

    def end(self) -> StreamEvent:
        """The last event of a stream, sent once the response is kept."""
        return f"response.{self._head['status']}", {"response": self.whole}

    def fail(self, error: ServerError) -> StreamEvent:
        if self._open:
            self._open["status"] = "incomplete"
        self._head |= response_fields.failed(error.code, error.message)
        return "response.failed", {"response": self.whole}

    @property
    def whole(self) -> dict[str, Any]:
        return {**self._head, "output": [dict(item) for item in self._output]}

    @property
    def _place(self) -> int:
        return len(self._output) - 1

    def _add_text(self, delta: Delta, kind: str, part: str) -> Iterator[StreamEvent]:
        if self._open is None or self._open["type"] != kind:
            yield from self._close()
            yield from self._begin(kind, part)
        self._output[-1]["content"][0]["text"] += delta.text
        fields = {"content_index": 0, "delta": delta.text, **_logprobs(part)}
        yield f"response.{part}.delta", {**self._where(), **fields}

    def _begin(self, kind: str, part: str) -> Iterator[StreamEvent]:
        item: dict[str, Any] = {"id": new_id(kind), "type": kind, "status": "in_progress", "content": []}
        item["role" if kind == "message" else "summary"] = "assistant" if kind == "message" else []
        self._open = item
        self._output.append(item)
        yield "response.output_item.added", {"output_index": self._place, "item": dict(item)}
        item["content"] = [_part(part)]
        yield "response.content_part.added", {**self._where(), "content_index": 0, "part": _part(part)}

    def _add_to_call(self, delta: ToolCallDelta) -> Iterator[StreamEvent]:
        if delta.call != self._call:
            yield from self._close()
            self._call = delta.call
            self._open = {
                "id": new_id("function_call"),
                "type": "function_call",
                "status": "in_progress",
                "call_id": delta.id,
                "name": delta.name,
                "arguments": "",
            }
            self._output.append(self._open)
            yield "response.output_item.added", {"output_index": self._place, "item": dict(self._open)}
        if delta.text and self._open is not None:
            self._open["arguments"] += delta.text
            yield "response.function_call_arguments.delta", {**self._where(), "delta": delta.text}

    def _close(self) -> Iterator[StreamEvent]:
        """End the item that is open."""
        item, self._open = self._open, None
        if item is None:
            return
        where = {"item_id": item["id"], "output_index": self._place}
        item["status"] = "incomplete" if self._is_cut else "completed"
        if item["type"] == "function_call":
            fields = {"name": item["name"], "arguments": item["arguments"]}
            yield "response.function_call_arguments.done", {**where, **fields}
        else:
            (part,) = item["content"]
            text = {"text": part["text"], **_logprobs(part["type"])}
            yield f"response.{part['type']}.done", {**where, "content_index": 0, **text}
            yield "response.content_part.done", {**where, "content_index": 0, "part": dict(part)}
        yield "response.output_item.done", {"output_index": self._place, "item": dict(item)}

    def _where(self) -> dict[str, Any]:
        return {"item_id": self._open["id"] if self._open else "", "output_index": self._place}


def _part(kind: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": kind, "text": ""}
    return part | {"annotations": [], "logprobs": []} if kind == "output_text" else part


def _logprobs(part: str) -> dict[str, Any]:
    return {"logprobs": []} if part == "output_text" else {}
