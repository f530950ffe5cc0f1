"""The open connections of each address: one client alone cannot take the descriptors of all others."""

import ipaddress
import resource
from typing import Protocol

from mlxsite import client_address

_SHARE = 4  # one address may have this part of the descriptors
_IPV6_PREFIX = 64  # what a provider gives to one customer
_MOST_ADDRESSES = 1000  # with closed connections that are still listed


class Transport(Protocol):
    """A TCP connection of Twisted."""

    connected: int


def most_of_one_address() -> int:
    """How many connections one address may have, from the limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft // _SHARE


class OpenConnections:
    """Counts them by address; those in `trusted` networks, a setting's text, are not limited."""

    def __init__(self, most: int, trusted: str = "") -> None:
        self._most = most
        self._trusted = trusted
        self._by_network: dict[str, set[Transport]] = {}

    def admit(self, address: str, transport: Transport) -> bool:
        """Count a new connection; returns False if its address has too many."""
        network = self._network(address)
        if not network:
            return True
        if len(self._by_network) > _MOST_ADDRESSES:
            self._forget_closed()
        open_ones = {one for one in self._by_network.get(network, ()) if one.connected}
        is_admitted = len(open_ones) < self._most
        if is_admitted:
            open_ones.add(transport)
        self._by_network[network] = open_ones
        return is_admitted

    def _network(self, address: str) -> str:
        """What counts as one client; empty for one without a limit."""
        parsed = client_address.parsed(address)
        if parsed is None or client_address.is_trusted(parsed, self._trusted):
            return ""
        if isinstance(parsed, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
        return str(parsed)

    def _forget_closed(self) -> None:
        self._by_network = {
            network: still_open
            for network, listed in self._by_network.items()
            if (still_open := {one for one in listed if one.connected})
        }
