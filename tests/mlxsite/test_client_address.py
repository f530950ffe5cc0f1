"""Whose address a request has: that of the connection, or what a named proxy says."""

import logging

import pytest
from django.test import override_settings

from inference.core.config import Config
from mlxsite.client_address import client_address
from tests.each import each
from tests.mlxsite.test_edge import client

PROXY, NETS = "10.0.0.1", "10.0.0.0/8,::1/128"


@each(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("203.0.113.7", [], NETS, "203.0.113.7"),
        (PROXY, [], NETS, PROXY),
        (PROXY, ["203.0.113.7"], NETS, "203.0.113.7"),
        (PROXY, ["203.0.113.7"], "", PROXY),  # nobody is named
        ("198.51.100.9", ["203.0.113.7"], NETS, "198.51.100.9"),  # another one says so
        (PROXY, ["1.2.3.4, 203.0.113.7"], NETS, "203.0.113.7"),  # the client's own invention comes first
        (PROXY, ["1.2.3.4", "203.0.113.7"], NETS, "203.0.113.7"),
        (PROXY, ["203.0.113.7, 10.9.9.9"], NETS, "203.0.113.7"),  # two proxies of ours
        (PROXY, ["10.9.9.9, 10.8.8.8"], NETS, "10.9.9.9"),
        (PROXY, ["unknown"], NETS, PROXY),
        (PROXY, ["203.0.113.7, nonsense"], NETS, PROXY),
        (PROXY, [""], NETS, PROXY),
        (PROXY, ["203.0.113.7:4711"], NETS, "203.0.113.7"),
        ("::1", ["[2001:db8::1]:4711"], NETS, "2001:db8::1"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], NETS, "2001:db8::1"),
        ("", ["203.0.113.7"], NETS, ""),
    ],
)
def test_it_is_what_the_last_named_proxy_saw(
    peer: str, forwarded: list[str], trusted: str, address: str
) -> None:
    assert client_address(peer, forwarded, trusted) == address


async def lines(caplog: pytest.LogCaptureFixture, path: str, **headers: str) -> list[str]:
    caplog.set_level(logging.INFO, "mlxsite.access")
    async with client() as web:
        await web.get(path, headers=headers)
    return [record.getMessage() for record in caplog.records if record.name == "mlxsite.access"]


async def test_the_whole_site_sees_the_address_that_a_named_proxy_passes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trusting = Config(access_log=True, trusted_proxies="127.0.0.0/8")
    with override_settings(CONFIG=trusting):
        (line,) = await lines(caplog, "/nowhere", **{"x-forwarded-for": "203.0.113.7"})
    assert line.startswith("203.0.113.7 GET /nowhere 404")


async def test_nobody_else_says_where_they_are(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(CONFIG=Config(access_log=True)):
        (line,) = await lines(caplog, "/nowhere", **{"x-forwarded-for": "203.0.113.7"})
    assert line.startswith("127.0.0.1 ")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/password/set/MQ/a1b2c3-d4e5/", "/password/set/MQ/-/"),
        ("/s/secret-token", "/s/-"),
        ("/chat/shared/secret-token/attachments/x/", "/chat/shared/-/attachments/x/"),
        ("/chat/settings/", "/chat/settings/"),
    ],
)
async def test_tokens_in_addresses_are_left_out_of_the_log(
    path: str, shown: str, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    with override_settings(CONFIG=Config(access_log=True)):
        (line,) = await lines(caplog, path)
    assert f" GET {shown} " in line
