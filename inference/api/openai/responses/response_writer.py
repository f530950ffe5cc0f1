"""One response as it is made: its output items, and the events that tell each step of them."""

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

Told = tuple[str, dict[str, Any]]  # an event's type and what it says, before its number


class ResponseAnswer:
    """`note` each of the request's events; it yields what a stream tells, and `whole` is the response."""

    def __init__(self, response_id: str, body: ResponseBody) -> None:
        self._head = response_fields.begun(response_id, body)
        self._output: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._call = -1
        self._is_cut = False

    def begin(self) -> Iterator[Told]:
        yield "response.created", {"response": self.whole}
        yield "response.in_progress", {"response": self.whole}

    def note(self, event: Event) -> Iterator[Told]:
        match event:
            case Accepted(sampling=sampling) if sampling != Sampling():  # some runners draw nothing
                self._head |= response_fields.drawn_with(sampling)
            case TextDelta(text=""):  # it only tells of tokens
                return
            case TextDelta():
                yield from self._say(event, "message", "output_text")
            case ReasoningDelta():
                yield from self._say(event, "reasoning", "reasoning_text")
            case ToolCallDelta():
                yield from self._say_call(event)
            case Ended(reason=reason):
                self._is_cut = reason == "length"
                yield from self._close()
            case Finished(usage=usage):
                self._head |= (
                    response_fields.incomplete(usage) if self._is_cut else response_fields.completed(usage)
                )

    def end(self) -> Told:
        """The last event of a stream, told once the response is kept."""
        return f"response.{self._head['status']}", {"response": self.whole}

    def fail(self, error: ServerError) -> Told:
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

    def _say(self, delta: Delta, kind: str, part: str) -> Iterator[Told]:
        if self._open is None or self._open["type"] != kind:
            yield from self._close()
            yield from self._begin(kind, part)
        self._output[-1]["content"][0]["text"] += delta.text
        told = {"content_index": 0, "delta": delta.text, **_logprobs(part)}
        yield f"response.{part}.delta", {**self._where(), **told}

    def _begin(self, kind: str, part: str) -> Iterator[Told]:
        item: dict[str, Any] = {"id": new_id(kind), "type": kind, "status": "in_progress", "content": []}
        item["role" if kind == "message" else "summary"] = "assistant" if kind == "message" else []
        self._open = item
        self._output.append(item)
        yield "response.output_item.added", {"output_index": self._place, "item": dict(item)}
        item["content"] = [_part(part)]
        yield "response.content_part.added", {**self._where(), "content_index": 0, "part": _part(part)}

    def _say_call(self, delta: ToolCallDelta) -> Iterator[Told]:
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

    def _close(self) -> Iterator[Told]:
        """End the item that is being said."""
        item, self._open = self._open, None
        if item is None:
            return
        where = {"item_id": item["id"], "output_index": self._place}
        item["status"] = "incomplete" if self._is_cut else "completed"
        if item["type"] == "function_call":
            said = {"name": item["name"], "arguments": item["arguments"]}
            yield "response.function_call_arguments.done", {**where, **said}
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
