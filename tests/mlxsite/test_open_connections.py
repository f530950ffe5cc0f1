"""How many connections one address may have."""

from dataclasses import dataclass

from mlxsite.open_connections import OpenConnections, most_of_one_address
from tests.each import each


@dataclass(eq=False)
class Transport:
    connected: int = 1


def admitted(connections: OpenConnections, addresses: list[str]) -> list[bool]:
    return [connections.admit(address, Transport()) for address in addresses]


def test_each_address_is_counted_by_itself() -> None:
    connections = OpenConnections(2)
    assert admitted(connections, ["10.0.0.1"] * 3 + ["10.0.0.2"] * 3) == [True, True, False] * 2


def test_a_closed_connection_makes_room() -> None:
    connections, first = OpenConnections(1), Transport()
    assert connections.admit("10.0.0.1", first) and not connections.admit("10.0.0.1", Transport())
    first.connected = 0
    assert connections.admit("10.0.0.1", Transport())


@each(
    ("second", "is_admitted"),
    [
        ("2001:db8::2", False),
        ("2001:db8:0:1::1", True),
        ("::ffff:192.0.2.1", True),
    ],
)
def test_a_customers_network_of_ipv6_is_one_address(second: str, is_admitted: bool) -> None:
    connections = OpenConnections(1)
    assert admitted(connections, ["2001:db8::1", second]) == [True, is_admitted]


def test_an_address_of_ipv4_is_one_however_it_is_written() -> None:
    assert admitted(OpenConnections(1), ["192.0.2.1", "::ffff:192.0.2.1"]) == [True, False]


@each("address", ["10.1.2.3", "a-socket-file", ""])
def test_a_trusted_proxy_and_what_has_no_address_are_not_limited(address: str) -> None:
    assert admitted(OpenConnections(1, "10.0.0.0/8"), [address] * 5) == [True] * 5


def test_addresses_that_have_left_are_forgotten() -> None:
    connections = OpenConnections(1)
    for number in range(3000):
        gone = Transport()
        connections.admit(f"10.0.{number // 250}.{number % 250}", gone)
        gone.connected = 0
    assert len(connections._by_network) <= 1001


def test_one_may_have_a_quarter_of_the_open_files() -> None:
    assert most_of_one_address() >= 64
