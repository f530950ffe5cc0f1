"""HTTP to the hub: the token goes to the configured host only, and retries are limited.

Redirects are followed here, by hand: huggingface_hub keeps the token between all hosts it knows, and the
large files lie with others (GHSA-3mj3-57v2-4636 is the same mistake elsewhere).
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from inference import __version__
from inference.repository.downloads.errors import HubBusy, HubUnavailable, NotOnHub, NotPermitted
from inference.repository.downloads.retry_policy import RetryPolicy, duration_text, retry_after_s
from inference.repository.downloads.transient_error import TransientError, Unreachable, unreachable_text

_MOST_REDIRECTS = 5
_MOST_LISTED_BYTES = 32 * 2**20


class HubClient:
    """A client of one hub for one repository."""

    def __init__(self, endpoint: str, token: str | None, repo: str, retry_policy: RetryPolicy) -> None:
        self._home = address(endpoint)
        self._shown = self._home.copy_with(userinfo=b"")  # as people may see it
        self._token = token
        if token and not (token.isascii() and token.isprintable()):
            raise NotPermitted("HF_TOKEN is not a valid token; correct it, or sign in with `hf auth login`.")
        self._repo = repo
        self.retry_policy = retry_policy
        timeout = httpx.Timeout(retry_policy.stall_s, connect=retry_policy.connect_s)
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def listing(self) -> Any:
        """The hub's description of the repository: JSON of limited size.

        Raises FetchFailed or TransientError.
        """
        for tries in itertools.count(1):
            try:
                return self._request_listing()
            except Unreachable:  # nothing has begun, so there is nothing to wait for
                raise
            except TransientError as error:
                self.pause(error, tries)

    def _request_listing(self) -> Any:
        return self.json(f"/api/models/{self._repo}", "blobs=true", what=f"list of the files of {self._repo}")

    def json(self, path: str, query: str, *, what: str) -> Any:
        """A JSON answer of limited size, tried once; raises FetchFailed or TransientError."""
        with self._network_errors(), self.get(path, query=query) as response:
            body = self._read(response, _MOST_LISTED_BYTES + 1)
        if len(body) > _MOST_LISTED_BYTES:
            raise HubUnavailable(f"The hub's {what} is too long.")
        try:
            return httpx.Response(200, content=body).json()
        except ValueError:
            raise HubUnavailable(
                f"What answers at {self._shown} is not a Hugging Face hub; check HF_ENDPOINT."
            ) from None

    def part(self, revision: str, name: str, begin: int, size: int) -> bytes:
        """Up to `size` bytes of a file from `begin` on; raises FetchFailed or TransientError."""
        path = f"/{self._repo}/resolve/{revision}/{quote(name)}"
        with self._network_errors(), self.get(path, begin=begin, size=size) as response:
            is_part = response.status_code == 206
            if begin and not is_part:
                raise HubUnavailable(f"The hub does not support resuming {name}.")
            return self._read(response, size)

    def _read(self, response: httpx.Response, most: int) -> bytes:
        """The first `most` bytes of an answer, within the time for one."""
        body, until = bytearray(), time.monotonic() + self.retry_policy.answer_s
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= most:
                break
            if time.monotonic() > until:
                raise TransientError(HubUnavailable("The hub responds too slowly."))
        return bytes(body[:most])

    @contextmanager
    def file(self, revision: str, name: str, begin: int) -> Iterator[httpx.Response]:
        """A file's bytes from `begin` on; only status 206 means that they really begin there."""
        path = f"/{self._repo}/resolve/{revision}/{quote(name)}"
        with self._network_errors(), self.get(path, begin=begin) as response:
            yield response

    @contextmanager
    def get(self, path: str, *, query: str = "", begin: int = 0, size: int = 0) -> Iterator[httpx.Response]:
        """A successful response, after redirects: all from `begin` on, or `size` bytes of it.

        Raises FetchFailed or TransientError.
        """
        url = self._home.copy_with(path=self._home.path.rstrip("/") + path, query=query.encode() or None)
        span = f"bytes={begin}-{begin + size - 1 if size else ''}" if begin or size else ""
        is_home = True
        for _ in range(_MOST_REDIRECTS):
            # After a redirect to another host the token is not sent any more, even back to the first one.
            is_home = is_home and _origin(url) == _origin(self._home)
            response = self._client.send(self._request(url, is_home, span), stream=True)
            try:
                if not response.has_redirect_location:
                    self._raise_for_status(response, is_home)
                    yield response
                    return
                url = self._next(url, response.headers["location"])
            finally:
                response.close()
        raise HubUnavailable(f"The hub redirects requests for {self._repo} in a loop; try again later.")

    def _request(self, url: httpx.URL, is_home: bool, span: str) -> httpx.Request:
        # Encoded bytes could neither be counted nor resumed.
        headers = {"User-Agent": f"mlxsite/{__version__}", "Accept-Encoding": "identity"}
        if span:
            headers["Range"] = span
        if self._token and is_home:
            headers["Authorization"] = f"Bearer {self._token}"
        return self._client.build_request("GET", url, headers=headers)

    def _next(self, url: httpx.URL, location: str) -> httpx.URL:
        there = url.join(location)
        if there.scheme not in ("https", self._home.scheme) or not there.host:
            raise HubUnavailable(
                f"The hub redirects from {url.scheme} to {there.scheme or 'nothing'} for {self._repo}, which "
                "is not followed."
            )
        return there

    def _raise_for_status(self, response: httpx.Response, is_home: bool) -> None:
        """Raise FetchFailed or TransientError for a status that is not a success."""
        status, code = response.status_code, response.headers.get("x-error-code", "")
        if status in {200, 206, 416}:
            return
        if status == 429:
            raise self._rate_limited(response)
        if status >= 500 or status == 408 or not is_home:  # on another host it may be an address that expired
            raise TransientError(HubUnavailable(f"The hub has an internal problem (status {status})."))
        if code == "GatedRepo":
            raise NotPermitted(
                f"{self._repo} is gated. Accept its licence at {self._shown}/{self._repo} in a browser, then "
                "sign in with `hf auth login` or set HF_TOKEN, and download again."
            )
        if status == 404 or code in {"RepoNotFound", "EntryNotFound", "RevisionNotFound"}:
            raise NotOnHub(self._not_found_text(code))
        if status in {401, 403}:
            raise NotPermitted(
                f"The hub denies access to {self._repo}. Sign in with `hf auth login` or set HF_TOKEN to "
                f"a token that may read it; {self._shown}/{self._repo} says whether you have to "
                "accept a licence."
            )
        raise HubUnavailable(f"The hub answered with status {status} for {self._repo}; try again later.")

    def _not_found_text(self, code: str) -> str:
        if code == "EntryNotFound":
            return f"The hub lists a file of {self._repo} that it does not have; try again later."
        private = (
            "" if self._token else ", or it is private: then sign in with `hf auth login` or set HF_TOKEN"
        )
        return f"The hub has no model {self._repo}. Check the spelling{private}."

    def _rate_limited(self, response: httpx.Response) -> TransientError:
        wait_s = retry_after_s(response.headers.get("retry-after", ""))
        asks = f"asks to wait {duration_text(wait_s)}" if wait_s else "is limiting the rate of requests"
        return TransientError(HubBusy(f"The hub {asks}."), wait_s=wait_s)

    @contextmanager
    def _network_errors(self) -> Iterator[None]:
        """Convert network errors to TransientError."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(HubUnavailable(unreachable_text(error))) from None
        except httpx.TimeoutException:
            stall_s = self.retry_policy.stall_s
            raise TransientError(HubUnavailable(f"The hub sent nothing for {stall_s:.0f} seconds.")) from None
        except httpx.TransportError:
            raise TransientError(HubUnavailable("The connection broke off.")) from None

    def pause(self, error: TransientError, tries: int) -> None:
        """Wait before the next try; raises the error when none is left, or the wait is too long."""
        if tries >= self.retry_policy.tries or error.wait_s > self.retry_policy.longest_pause_s:
            raise error
        time.sleep(max(error.wait_s, self.retry_policy.pause_s * 2 ** max(tries - 1, 0)))


def address(endpoint: str) -> httpx.URL:
    """The hub's address; raises HubUnavailable for a text that is none."""
    try:
        url = httpx.URL(endpoint.rstrip("/"))
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise HubUnavailable(
            "HF_ENDPOINT is not the URL of a hub. Give one that begins with https://, or unset it for "
            "huggingface.co."
        )
    return url


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port  # httpx has no port where it is the scheme's own
