"""The content blocks of an answer, as the events of Anthropic's streams."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from inference.api.anthropic import signature
from inference.core.events import Delta, ReasoningDelta, TextDelta, ToolCallDelta

Event = dict[str, Any]
_CALL_PREFIX = "call_"  # of the ids that the worker gives


class ContentBlocks:
    """Turns the deltas of one answer into events that begin, fill and end its blocks, one at a time.

    Whitespace alone is no block: it is held back until text follows, as Anthropic's API refuses such blocks.
    """

    def __init__(self, *, hides_thinking: bool = False) -> None:
        self._hides_thinking = hides_thinking
        self._index = -1
        self._kind = ""  # of the open block; empty while none is
        self._call = -1  # which of the answer's calls is open
        self._blank = ""  # text that is held back
        self._hidden: list[str] = []  # reasoning that the client does not want to see

    def feed(self, delta: Delta) -> Iterator[Event]:
        """The events of the next piece of the answer."""
        match delta:
            case TextDelta(text=text) if text:
                yield from self._text(text)
            case ReasoningDelta(text=text) if text:
                yield from self._thinking(text)
            case ToolCallDelta():
                yield from self._tool_use(delta)

    def close(self) -> Iterator[Event]:
        """The events that end the open block."""
        if not self._kind:
            return
        if self._kind == "thinking":
            hidden, self._hidden = "".join(self._hidden), []
            text = signature.carrying(hidden) if hidden else signature.OPAQUE
            yield self._delta({"type": "signature_delta", "signature": text})
        self._kind = ""
        yield {"type": "content_block_stop", "index": self._index}

    def _text(self, text: str) -> Iterator[Event]:
        if self._kind != "text":
            self._blank += text
            if self._blank.isspace():
                return
            text = self._blank
            yield from self._begin({"type": "text", "text": ""})
        yield self._delta({"type": "text_delta", "text": text})

    def _thinking(self, text: str) -> Iterator[Event]:
        if self._kind != "thinking":
            yield from self._begin({"type": "thinking", "thinking": "", "signature": ""})
        if self._hides_thinking:
            self._hidden.append(text)
        else:
            yield self._delta({"type": "thinking_delta", "thinking": text})

    def _tool_use(self, delta: ToolCallDelta) -> Iterator[Event]:
        if self._kind != "tool_use" or self._call != delta.call:
            self._call = delta.call
            call_id = f"toolu_{delta.id.removeprefix(_CALL_PREFIX)}"
            yield from self._begin({"type": "tool_use", "id": call_id, "name": delta.name, "input": {}})
        if delta.text:
            yield self._delta({"type": "input_json_delta", "partial_json": delta.text})

    def _begin(self, block: Event) -> Iterator[Event]:
        yield from self.close()
        self._index += 1
        self._kind, self._blank = block["type"], ""
        yield {"type": "content_block_start", "index": self._index, "content_block": block}

    def _delta(self, delta: Event) -> Event:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}


def put_together(events: Iterable[Event]) -> list[Event]:
    """The blocks that these events make."""
    blocks: list[Event] = []
    texts: list[dict[str, list[str]]] = []
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append(dict(event["content_block"]))
            texts.append({})
        elif event["type"] == "content_block_delta":
            name = event["delta"]["type"].removesuffix("_delta")
            texts[-1].setdefault(name, []).append(event["delta"][_FIELDS[name]])
    for block, found in zip(blocks, texts, strict=True):
        for name, pieces in found.items():
            text = "".join(pieces)
            block["input" if name == "input_json" else name] = _object(text) if name == "input_json" else text
    return blocks


_FIELDS = {"text": "text", "thinking": "thinking", "signature": "signature", "input_json": "partial_json"}


def _object(arguments: str) -> dict[str, Any]:
    """The arguments as an object: empty where they were cut, or are none."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
