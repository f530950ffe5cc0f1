"""Pictures that requests name by an address: fetched from hosts that the operator allows, and from no other.

1. The host must be one of MLX_SERVER_PICTURE_HOSTS, by its exact name and port.
2. All addresses that the name has must be public. The connection is made to one of them, so that a second
   look-up cannot lead elsewhere (DNS rebinding).
3. A redirect is followed to the same host only; size and time are limited, and no proxy of the environment,
   cookie or credential is used.
4. What comes is checked as a picture in a request is.

https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Callable, Collection
from functools import cache
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings
from msgspec import structs

from inference.core import picture_header
from inference.core.image_errors import FailedToDownloadImage
from inference.core.picture_header import UNREADABLE, NoPicture
from inference.core.requests import ChatRequest, Message, Picture

logger = logging.getLogger(__name__)
_TIMEOUT_S = 20.0  # for all pictures of a request
_AT_ONCE = 4  # of one request
_REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}


class NotFetched(Exception):
    """The message has the reason, for the client that sent the URL."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet, and not to this machine or a network of its own."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and (inner := parsed.ipv4_mapped or parsed.sixtofour):
        parsed = inner
    return parsed.is_global and not parsed.is_multicast


class PictureFetch:
    """Fetches pictures from `hosts`, of which each is a name, or a name and a port.

    `is_allowed` decides about IP addresses, and `tls` about certificates.
    """

    def __init__(
        self,
        hosts: Collection[str],
        *,
        is_allowed: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._hosts = frozenset(hosts)
        self._is_allowed = is_allowed
        self._tls = tls
        self._timeout_s = timeout_s

    async def fetched(self, request: ChatRequest) -> ChatRequest:
        """The request with the files of its pictures; raises FailedToDownloadImage."""
        places = {
            picture.url: f"messages.{number}.content"
            for number, message in reversed(list(enumerate(request.messages)))
            for picture in message.pictures
            if picture.url
        }
        if not places:
            return request
        files = await self._files(places)
        messages = (_with_files(message, files) for message in request.messages)
        return structs.replace(request, messages=tuple(messages))

    async def _files(self, places: dict[str, str]) -> dict[str, Picture]:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def fetch(url: str) -> Picture:
            async with at_once:
                try:
                    return await self._fetch(client, url)
                except NotFetched as error:
                    raise FailedToDownloadImage(f"{UNREADABLE}: {error}", param=places[url]) from None
                except httpx.HTTPError as error:
                    logger.info("Cannot fetch a picture: %r", error)
                    problem = f"{UNREADABLE}: {urlsplit(url).hostname} did not send it."
                    raise FailedToDownloadImage(problem, param=places[url]) from None

        tls = self._tls if self._tls else await asyncio.to_thread(_usual_tls)
        limits = httpx.Timeout(self._timeout_s)
        async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=limits) as client:
            tasks = [asyncio.ensure_future(fetch(url)) for url in places]
            try:
                async with asyncio.timeout(self._timeout_s):
                    return dict(zip(places, await asyncio.gather(*tasks), strict=True))
            except TimeoutError:
                slow = next(iter(places.values()))
                problem = f"{UNREADABLE}: the pictures did not come within {self._timeout_s:g} seconds."
                raise FailedToDownloadImage(problem, param=slow) from None
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, client: httpx.AsyncClient, url: str) -> Picture:
        first = urlsplit(url).netloc.lower()
        for _ in range(_REDIRECTS + 1):
            request = await self._request(client, url)
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                if not response.has_redirect_location:
                    return await _read(response)
                url = urljoin(url, response.headers["location"])
            finally:
                await response.aclose()
            if urlsplit(url).netloc.lower() != first:
                raise NotFetched("its address leads to another host.")
        raise NotFetched("its address leads from one to another without an end.")

    async def _request(self, client: httpx.AsyncClient, url: str) -> httpx.Request:
        """A request to the IP address of a host; its name is in the header and in what TLS checks."""
        parts = urlsplit(url)
        host, port = allowed(url, self._hosts)
        address = await self._address(host, port)
        target = parts._replace(netloc=f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
        headers = {"Host": parts.netloc, "Accept": "image/*", "Accept-Encoding": "identity"}
        return client.build_request(
            "GET", target.geturl(), headers=headers, extensions={"sni_hostname": host}
        )

    async def _address(self, host: str, port: int) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, proto=6)
        except OSError:
            raise NotFetched(f"the host {host} cannot be found.") from None
        addresses = [str(address[0]) for *_, address in found]
        if not addresses or not all(map(self._is_allowed, addresses)):
            raise NotFetched(f"the host {host} is in a private network.")
        return addresses[0]


@cache
def _usual_tls() -> ssl.SSLContext:
    """The certificates that are trusted: reading them takes longer than the event loop may wait."""
    return httpx.create_ssl_context(trust_env=False)


def from_settings() -> PictureFetch:
    """That of this site."""
    return PictureFetch(settings.CONFIG.picture_host_list)


def allowed(url: str, hosts: Collection[str]) -> tuple[str, int]:
    """Name and port of an address that may be fetched; raises NotFetched."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise NotFetched("its address cannot be read.") from None
    if not (host and port) or parts.username is not None or any(map(str.isspace, url)):
        raise NotFetched("its address must be of http or https, without a user.")
    name = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    if name not in hosts:
        raise NotFetched(
            f"this server fetches nothing from {name}; send the picture itself, as a data URL "
            "(data:image/png;base64,...), or ask its operator to allow the host (MLX_SERVER_PICTURE_HOSTS)."
        )
    return host, port


async def _read(response: httpx.Response) -> Picture:
    host, most = response.request.headers["host"], settings.CONFIG.picture_bytes
    if response.status_code != 200:
        raise NotFetched(f"{host} answers with {response.status_code}.")
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > most:
            raise NotFetched(f"a picture may have {most:,} bytes (MLX_SERVER_PICTURE_BYTES).")
    try:
        return picture_header.picture_of(bytes(data), most_pixels=settings.CONFIG.picture_pixels)
    except NoPicture as error:
        raise NotFetched(f"{error}.") from None


def _with_files(message: Message, files: dict[str, Picture]) -> Message:
    if not any(picture.url for picture in message.pictures):
        return message
    pictures = (
        structs.replace(files[one.url], detail=one.detail) if one.url else one for one in message.pictures
    )
    return structs.replace(message, pictures=tuple(pictures))
