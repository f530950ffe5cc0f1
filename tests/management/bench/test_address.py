"""Addresses of other servers."""

import pytest

from inference.management.bench.address import ServerAddress, UnknownAddress, address_of
from tests.each import each


@each(
    ("url", "wanted"),
    [
        ("http://127.0.0.1:8080/v1", ServerAddress(8080)),
        ("http://127.0.0.1:8080", ServerAddress(8080)),
        ("http://127.0.0.1:8080/", ServerAddress(8080)),
        ("http://mac.local:1234/api/v1/", ServerAddress(1234, "mac.local", "/api/v1")),
        ("http://localhost:80/v1/chat/completions", ServerAddress(80, "localhost")),
        ("https://example.org/v1", ServerAddress(443, "example.org", is_secure=True)),
        ("http://[::1]:9/v1", ServerAddress(9, "::1")),
    ],
)
def test_a_url_is_read(url: str, wanted: ServerAddress) -> None:
    assert ServerAddress.parse(url) == wanted


@each("url", ["ftp://127.0.0.1", "http://", "http://host:port/v1", "http://host:99999"])
def test_what_is_no_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UnknownAddress, match="is no address"):
        ServerAddress.parse(url)


def test_a_key_becomes_a_header() -> None:
    assert ServerAddress.parse("http://[::1]:9/v1", "secret").headers == (
        "Host: [::1]:9\r\nAuthorization: Bearer secret\r\n"
    )
    assert "Authorization" not in ServerAddress(9).headers


def test_a_port_is_one_on_this_machine() -> None:
    assert address_of(8000) == ServerAddress(8000)
    assert address_of(ServerAddress(5, "other")).host == "other"
