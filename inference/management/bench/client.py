"""A small streaming client for both servers: it records when each piece of an answer arrived.

It uses asyncio's streams directly, because a client library would spend more time on a token than our site
does, on the cores that the servers need. Each request has its own connection: mlx_lm.server closes it anyway.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from inference.management.bench.timed_answer import IncompleteAnswer, Round, TimedAnswer

CHAT = "/v1/chat/completions"
_MAX_LINE = 2**20


async def ask_together(
    port: int, bodies: Sequence[Mapping[str, Any]], *, limit_s: float = 600, gap_s: float = 0.0
) -> Round:
    """Send all requests at once, or each `gap_s` after the one before; failures do not affect the others."""
    requests = [_ask_or_failure(port, body, limit_s, i * gap_s) for i, body in enumerate(bodies)]
    answers = await asyncio.gather(*requests)
    return Round(
        tuple(answer for answer in answers if isinstance(answer, TimedAnswer)),
        tuple(answer for answer in answers if isinstance(answer, str)),
    )


async def _ask_or_failure(
    port: int, body: Mapping[str, Any], limit_s: float, after_s: float
) -> TimedAnswer | str:
    try:
        async with asyncio.timeout(limit_s):
            await asyncio.sleep(after_s)
            return await ask(port, body)
    except TimeoutError:
        return f"no answer within {limit_s:g} s"
    except ConnectionError as error:
        return type(error).__name__
    except (IncompleteAnswer, asyncio.IncompleteReadError, ValueError) as error:
        return str(error) or type(error).__name__


async def ask(port: int, body: Mapping[str, Any]) -> TimedAnswer:
    """One streamed chat answer; raises IncompleteAnswer, ConnectionError or ValueError."""
    asked = time.perf_counter()
    begun: float | None = None
    pieces: list[float] = []
    text: list[str] = []
    usage: dict[str, Any] = {}
    async for chunk in chunks(port, {**body, "stream_options": {"include_usage": True}}):
        begun = begun or time.perf_counter()
        usage = chunk.get("usage") or usage
        if piece := piece_of(chunk):
            pieces.append(time.perf_counter())
            text.append(piece)
    if not usage or begun is None:
        raise IncompleteAnswer("no usage")
    return TimedAnswer(
        asked=asked,
        begun=begun,
        ended=pieces[-1] if pieces else time.perf_counter(),
        pieces=tuple(pieces),
        tokens=usage["completion_tokens"],
        prompt_tokens=usage["prompt_tokens"],
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
        text="".join(text),
    )


def piece_of(chunk: Mapping[str, Any]) -> str:
    """The text in one chunk of either server, reasoning included; empty when it has none."""
    choices = chunk.get("choices") or []
    delta = (choices[0].get("delta") or {}) if choices else {}
    return (delta.get("content") or "") + (delta.get("reasoning_content") or delta.get("reasoning") or "")


async def chunks(port: int, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The chunks of one streamed answer; raises IncompleteAnswer if it ends without [DONE]."""
    async with aclosing(lines(port, "POST", CHAT, {**body, "stream": True})) as answer:
        async for line in answer:
            data = line.removeprefix(b"data:").strip()
            if not line.startswith(b"data:"):
                continue
            if data == b"[DONE]":
                return
            chunk = json.loads(data)
            if "error" in chunk:
                raise IncompleteAnswer("an error event")
            yield chunk
    raise IncompleteAnswer("the stream ended early")


async def fetch(port: int, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """A JSON response; raises IncompleteAnswer or ConnectionError."""
    return json.loads(b"".join([line async for line in lines(port, method, path, body)]))


async def lines(
    port: int, method: str, path: str, body: Mapping[str, Any] | None = None
) -> AsyncGenerator[bytes]:
    """The lines of a response's body as they come; raises IncompleteAnswer unless the status is 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_MAX_LINE)
    try:
        writer.write(_request(method, path, body))
        status, is_chunked = await _read_head(reader)
        if status != 200:
            raise IncompleteAnswer(f"status {status}")
        async for line in _chunked(reader) if is_chunked else reader:
            yield line
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _request(method: str, path: str, body: Mapping[str, Any] | None) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return head.encode() + b"\r\n" + data


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the body is chunked; otherwise it ends with the connection."""
    first, *headers = (await reader.readuntil(b"\r\n\r\n")).lower().splitlines()
    return int(first.split()[1]), b"transfer-encoding: chunked" in headers


async def _chunked(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a body in HTTP chunks, whose boundaries may be anywhere."""
    rest = b""
    while size := int(await reader.readline() or b"0", 16):
        rest += await reader.readexactly(size)
        await reader.readexactly(2)
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest
