"""A small streaming client for any server with OpenAI's API: it records when each piece of an answer arrived.

It uses asyncio's streams directly, because a client library would spend more time on a token than our site
does, on the cores that the servers need. Each request has its own connection: mlx_lm.server closes it anyway.

Dialects differ. A stream may end without [DONE] after a finish reason, and may have no usage: then the pieces
of text are counted until somebody counts better.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from inference.management.bench.address import ServerAddress, address_of
from inference.management.bench.timed_answer import AnswerRound, IncompleteAnswer, TimedAnswer

CHAT = "/v1/chat/completions"
_CHAT = "/chat/completions"  # below the base of an address
_MAX_LINE = 2**20
Where = ServerAddress | int  # or a port on this machine


async def ask_together(
    where: Where, bodies: Sequence[Mapping[str, Any]], *, limit_s: float = 600, after_s: Sequence[float] = ()
) -> AnswerRound:
    """Send all requests at once, or each after so many seconds; failures do not affect the others."""
    delays = after_s or [0.0] * len(bodies)
    requests = [
        _ask_or_failure(where, body, limit_s, delay) for body, delay in zip(bodies, delays, strict=True)
    ]
    answers = await asyncio.gather(*requests)
    return AnswerRound(
        tuple(answer for answer in answers if isinstance(answer, TimedAnswer)),
        tuple(answer for answer in answers if isinstance(answer, str)),
    )


async def _ask_or_failure(
    where: Where, body: Mapping[str, Any], limit_s: float, after_s: float
) -> TimedAnswer | str:
    try:
        await asyncio.sleep(after_s)
        async with asyncio.timeout(limit_s):
            return await ask(where, body)
    except TimeoutError:
        return f"no answer within {limit_s:g} s"
    except OSError as error:  # refused, reset, or no such host
        return type(error).__name__
    except (IncompleteAnswer, asyncio.IncompleteReadError, ValueError) as error:
        return str(error) or type(error).__name__


async def ask(where: Where, body: Mapping[str, Any]) -> TimedAnswer:
    """One streamed chat answer; raises IncompleteAnswer, ConnectionError or ValueError.

    The usage is asked for, and left out for a server that refuses that.
    """
    try:
        return await _ask(where, {**body, "stream_options": {"include_usage": True}})
    except IncompleteAnswer as error:
        if error.status not in (400, 422):
            raise
    return await _ask(where, body)


async def _ask(where: Where, body: Mapping[str, Any]) -> TimedAnswer:
    sent = time.perf_counter()
    begun: float | None = None
    pieces: list[float] = []
    text: list[str] = []
    usage: dict[str, Any] = {}
    async for chunk in chunks(where, body):
        begun = begun or time.perf_counter()
        usage = chunk.get("usage") or usage
        if piece := piece_of(chunk):
            pieces.append(time.perf_counter())
            text.append(piece)
    if begun is None:
        raise IncompleteAnswer("no events")
    return TimedAnswer(
        sent=sent,
        begun=begun,
        ended=pieces[-1] if pieces else time.perf_counter(),
        pieces=tuple(pieces),
        tokens=usage.get("completion_tokens", len(pieces)),
        prompt_tokens=usage.get("prompt_tokens", 0),
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
        text="".join(text),
        is_counted="completion_tokens" in usage,
    )


def piece_of(chunk: Mapping[str, Any]) -> str:
    """The text in one chunk, reasoning and calls of tools included; empty when it has none."""
    choices = chunk.get("choices") or []
    delta = (choices[0].get("delta") or {}) if choices else {}
    calls = [call.get("function") or {} for call in delta.get("tool_calls") or ()]
    called = "".join((one.get("name") or "") + (one.get("arguments") or "") for one in calls)
    reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
    return str((delta.get("content") or "") + reasoning + called)


async def chunks(where: Where, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The chunks of one streamed answer; raises IncompleteAnswer if it ends without an end."""
    path, has_finished = address_of(where).base + _CHAT, False
    async with aclosing(lines(where, "POST", path, {**body, "stream": True})) as answer:
        async for line in answer:
            data = line.removeprefix(b"data:").strip()
            if not line.startswith(b"data:") or not data:
                continue
            if data == b"[DONE]":
                return
            chunk = json.loads(data)
            if chunk.get("error"):
                raise IncompleteAnswer("an error event")
            has_finished |= any(choice.get("finish_reason") for choice in chunk.get("choices") or ())
            yield chunk
    if not has_finished:
        raise IncompleteAnswer("the stream ended early")


async def fetch(where: Where, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """A JSON response; raises IncompleteAnswer or ConnectionError."""
    return json.loads(b"".join([line async for line in lines(where, method, path, body)]))


async def lines(
    where: Where, method: str, path: str, body: Mapping[str, Any] | None = None
) -> AsyncGenerator[bytes]:
    """The lines of a response's body as they come; raises IncompleteAnswer unless the status is 200."""
    at = address_of(where)
    reader, writer = await asyncio.open_connection(at.host, at.port, limit=_MAX_LINE, ssl=at.ssl_context)
    try:
        writer.write(_request(at, method, path, body))
        status, is_chunked = await _read_head(reader)
        if status != 200:
            raise IncompleteAnswer(f"status {status}", status=status)
        async for line in _chunked(reader) if is_chunked else reader:
            yield line
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _request(at: ServerAddress, method: str, path: str, body: Mapping[str, Any] | None) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\n{at.headers}Connection: close\r\n"
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
