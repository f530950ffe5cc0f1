"""Requests to the OpenID provider: bounded in time and size, and never redirected.

A redirect could take the client's secret, or a code that signs somebody in, to another host.
"""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from inference.accounts.openid.errors import ProviderUnavailable

_WAIT_S = 5.0  # to connect, and for each piece of an answer
_MOST_S = 10.0  # for all of an answer
_MOST_BYTES = 2**20


class ProviderRefused(ProviderUnavailable):
    """The provider answered with a status that is an error; `code` is its OAuth error, if it has one."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code


def read(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object at an address, after a POST where there is a form; raises ProviderUnavailable."""
    try:
        status, answer = _exchange(url, form, headers or {})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ProviderUnavailable(f"{url}: {_why(error)}") from None
    found = _parsed(answer)
    if status != 200:
        code = str((found or {}).get("error", ""))[:60]
        raise ProviderRefused(f"{url} answers with {status}{f' ({code})' if code else ''}", code)
    if found is None:
        raise ProviderUnavailable(f"{url} responds with something other than a JSON object")
    return found


def _exchange(
    url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
) -> tuple[int, httpx.Response]:
    end = time.monotonic() + _MOST_S
    sent = {"Accept": "application/json", **headers}
    body = bytearray()
    with (
        httpx.Client(timeout=_WAIT_S, follow_redirects=False) as client,
        client.stream("GET" if form is None else "POST", url, data=form, headers=sent) as response,
    ):
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _MOST_BYTES or time.monotonic() > end:
                raise ProviderUnavailable(f"{url} responds with too much data, or too slowly")
    return response.status_code, httpx.Response(200, content=bytes(body))


def _parsed(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _why(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return str(error) or type(error).__name__
