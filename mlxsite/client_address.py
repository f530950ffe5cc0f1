"""The address of a client, behind the proxies that the operator has named (MLX_SERVER_TRUSTED_PROXIES)."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from asgiref.typing import HTTPScope, WebSocketScope
from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def from_client(scope: HTTPScope | WebSocketScope) -> HTTPScope | WebSocketScope:
    """The scope with the address of the client, where a named proxy passes it on."""
    trusted, client = settings.CONFIG.trusted_proxies, scope.get("client")
    if not trusted or not client:
        return scope
    forwarded = [
        value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"
    ]
    address = client_address(client[0], forwarded, trusted)
    seen: Any = scope if address == client[0] else {**scope, "client": [address, 0]}
    answer: HTTPScope | WebSocketScope = seen
    return answer


def client_address(peer: str, forwarded: Sequence[str], trusted: str) -> str:
    """The address that `peer` speaks for; `forwarded` are the values of X-Forwarded-For, as they were sent.

    Each proxy appends the address of its own client. So they are read from the end, and only as far as the
    one who wrote them is trusted: what comes before could be anybody's invention.
    """
    address, last = parsed(peer), peer
    for text in reversed(",".join(forwarded).split(",")):
        if address is None or not is_trusted(address, trusted):
            break
        if (address := parsed(text)) is None:
            break
        last = str(address)
    return last


def parsed(text: str) -> Address | None:
    """The address of `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1` or `[2001:db8::1]:4711`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_trusted(address: Address, trusted: str) -> bool:
    """Whether an address is in one of the networks of MLX_SERVER_TRUSTED_PROXIES."""
    return any(address in network for network in _networks(trusted))


@lru_cache(maxsize=8)
def _networks(trusted: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(one) for one in trusted.split(",") if one)
