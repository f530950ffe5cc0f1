"""HTTP to other servers: no redirect is followed, no proxy is used, and every wait and size has a limit."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from inference.core.errors import ServerError, UpstreamFailed
from inference.core.upstream import Address
from inference.upstreams import refusals
from inference.upstreams.refusals import Unanswered

CONNECT_S = 5.0
CHECK_S = 5.0
MOST_ERROR_BYTES = 64 * 1024
MOST_ANSWER_BYTES = 256 * 2**20
MOST_LISTING_BYTES = 4 * 2**20
_SILENT = "The server that answers for this model has been silent for too long."
_BROKEN_OFF = "The server that answers for this model closed the connection in the middle of the answer."


def new_client(silence_s: float) -> httpx.AsyncClient:
    """A client for all addresses; it reads certificates, so call it from a thread."""
    return httpx.AsyncClient(
        verify=ssl.create_default_context(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(silence_s, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30),
    )


@asynccontextmanager
async def posted(
    client: httpx.AsyncClient, address: Address, path: str, content: bytes
) -> AsyncIterator[AsyncGenerator[bytes]]:
    """Send a request; the pieces of its answer, once the first has come. Leaving the block cancels it.

    Raises Unanswered before the first piece, and UpstreamFailed after it.
    """
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream", **_headers(address)}
    try:
        async with client.stream(
            "POST", address.base_url + path, content=content, headers=headers
        ) as response:
            if response.status_code != 200:
                raise await _refusal(response)
            pieces = _pieces(response)
            if not (first := await anext(pieces, b"")):
                raise refusals.unreachable("it closed the connection")
            async with aclosing(_from(first, pieces)) as answer:
                yield answer
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise refusals.unreachable(why_of(error)) from None


async def listed_models(client: httpx.AsyncClient, address: Address) -> list[dict[str, Any]]:
    """What GET /models there lists; raises Unanswered."""
    try:
        async with (
            asyncio.timeout(CHECK_S),
            client.stream("GET", f"{address.base_url}/models", headers=_headers(address)) as response,
        ):
            if response.status_code != 200:
                error = await _refusal(response)
                if isinstance(error, Unanswered):
                    raise error
                raise refusals.unreachable(f"it answers with status {response.status_code}")
            body = await _read(response, MOST_LISTING_BYTES)
    except TimeoutError:
        raise refusals.unreachable(f"it did not answer within {CHECK_S:.0f} s") from None
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise refusals.unreachable(why_of(error)) from None
    try:
        found = json.loads(body)["data"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise refusals.unreachable("what it lists at /models is no list of models") from None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def why_of(error: httpx.RequestError | httpx.InvalidURL) -> str:
    """Why there was no answer, without what the system says of sockets."""
    match error:
        case httpx.ConnectTimeout():
            return f"it cannot be reached within {CONNECT_S:.0f} s"
        case httpx.TimeoutException():
            return "it is silent for too long"
        case httpx.ConnectError() if "certificate" in str(error).lower():
            return "its certificate is not trusted on this machine"
        case httpx.ConnectError():
            return "it cannot be reached"
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return "its address is no URL of http or https"
    return "it closed the connection"


async def _pieces(response: httpx.Response) -> AsyncGenerator[bytes]:
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > MOST_ANSWER_BYTES:
            raise UpstreamFailed("The server that answers for this model does not come to an end.")
        yield piece


async def _from(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The pieces, with the error of one that breaks off; from here on no other address is tried."""
    yield first
    try:
        async for piece in rest:
            yield piece
    except httpx.TimeoutException:
        raise UpstreamFailed(_SILENT) from None
    except httpx.RequestError:
        raise UpstreamFailed(_BROKEN_OFF) from None


async def _refusal(response: httpx.Response) -> ServerError | Unanswered:
    body = await _read(response, MOST_ERROR_BYTES)
    return refusals.of_status(response.status_code, body, response.headers.get("retry-after", ""))


async def _read(response: httpx.Response, most: int) -> bytes:
    """The body, up to `most` bytes."""
    body = b""
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > most:
            break
    return body[:most]


def _headers(address: Address) -> Mapping[str, str]:
    key = address.key.get_secret_value()
    # Nothing is unpacked here, so nothing that is compressed is asked for.
    return {"Accept-Encoding": "identity", **({"Authorization": f"Bearer {key}"} if key else {})}
