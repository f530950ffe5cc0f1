"""Addresses and names as operators spell them."""

import pytest

from inference.core.addresses import (
    host_name,
    host_of,
    is_loopback,
    listening,
    local_names,
    neighbourhood,
    network,
    origin,
    web_origin,
)
from tests.each import each


@each(
    ("given", "address"),
    [
        *(
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
        ),
        *(("2130706433", "127.0.0.1"), ("0177.0.0.1", "127.0.0.1"), ("127.9.8.7", "127.9.8.7")),
        *(("::1", "::1"), ("[::1]", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("[0:0:0:0:0:0:0:1]", "::1")),
        *(
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("[::ffff:7f00:1]", "127.0.0.1"),
            ("::FFFF:127.0.0.1", "127.0.0.1"),
        ),
        *(("localhost", "localhost"), ("LOCALHOST", "localhost"), (" localhost. ", "localhost")),
    ],
)
def test_loopback_is_loopback_however_it_is_written(given: str, address: str) -> None:
    assert listening(given) == address and is_loopback(address)


@each(
    ("given", "address"),
    [
        *(("0.0.0.0", "0.0.0.0"), ("0", "0.0.0.0"), ("0x0", "0.0.0.0"), ("::", "::"), ("[::]", "::")),
        *(("::ffff:0.0.0.0", "0.0.0.0"), ("0:0:0:0:0:0:0:0", "::"), ("::ffff:192.168.1.5", "192.168.1.5")),
        *(("128.0.0.1", "128.0.0.1"), ("126.255.255.255", "126.255.255.255"), ("::2", "::2")),
        *(("fe80::1", "fe80::1"), ("localhost.example", "localhost.example"), ("127.0.0.1.nip.io",) * 2),
        *(("MyMac.local", "mymac.local"), ("localhost4", "localhost4")),
    ],
)
def test_nothing_else_is(given: str, address: str) -> None:
    assert listening(given) == address and not is_loopback(address)


@each(
    "given",
    [
        *(
            "",
            "  ",
            "http://127.0.0.1",
            "127.0.0.1:8000",
            "[::1]:8000",
            "localhost/",
            "[127.0.0.1",
            "a b",
            "*",
        ),
        *(
            "256.1.1.1",
            "1.2.3.4.5",
            "::1::",
            "[localhost]",
            ".example",
            "-a.example",
            "127.0.0.1\n8.8.8.8",
            "é",
        ),
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError):
        listening(given)


@each(
    ("given", "name"),
    [
        *(("studio.example", "studio.example"), (" Studio.Example. ", "studio.example"), ("mac", "mac")),
        *(("192.168.1.5", "192.168.1.5"), ("fe80::1", "[fe80::1]"), ("[FE80::1]", "[fe80::1]")),
        *(
            (".example.com", ".example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("a_b.local", "a_b.local"),
        ),
    ],
)
def test_a_host_name_is_as_browsers_send_it(given: str, name: str) -> None:
    assert host_name(given) == name


@each(
    ("given", "instead"),
    [
        *(("http://studio.example", ": studio.example"), ("https://studio.example/", ": studio.example")),
        *(("studio.example:8000", ": studio.example"), ("studio.example/admin", ": studio.example")),
        *(("wss://studio.example:443/x", ": studio.example"), ("http://", ""), ("a b", ""), ("'studio'", "")),
        *(("user@studio.example", ""), ("studio..example", ""), ("-", ""), ("studio.example;other", "")),
        *(("[::1]:8000", ""), ("1.2.3.4:80", ""), ("999.1.1.1", "")),
    ],
)
def test_what_never_matches_is_refused_with_what_was_meant(given: str, instead: str) -> None:
    with pytest.raises(
        ValueError, match="is not a host name: give it without http://, port or path"
    ) as refused:
        host_name(given)
    assert str(refused.value).endswith(f"port or path{instead}")


@each("given", ["*", "*.example", "a*"])
def test_a_name_for_all_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="DNS rebinding"):
        host_name(given)


@each(
    ("given", "known"),
    [
        ("https://chat.example", "https://chat.example"),
        (" HTTPS://Chat.Example/ ", "https://chat.example"),
        ("https://chat.example:443", "https://chat.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:80", "http://[::1]"),
        ("app://obsidian.md", "app://obsidian.md"),
        ("app://", "app://"),
        ("vscode-webview://", "vscode-webview://"),
        ("chrome-extension://Abcdefghij", "chrome-extension://abcdefghij"),
        ("tauri://localhost", "tauri://localhost"),
    ],
)
def test_an_origin_is_known_as_browsers_send_it(given: str, known: str) -> None:
    assert origin(given) == known


@each(
    "given",
    [
        "*",
        "https://*.example",
        "null",
        "",
        "chat.example",
        "https://",
        "http://",
        "https://chat.example/page",
        "https://user@chat.example",
        "https://chat.example:0",
        "https://chat.example:99999",
        "https://.example",
        "app://a/b",
        "://x",
    ],
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(ValueError):
        origin(given)


@pytest.mark.parametrize(
    ("own", "is_known"),
    [("studio", True), ("studio.local", True), ("studio.example.com", False), ("", False)],
)
def test_the_machines_own_name_is_local_unless_dns_could_know_it(
    own: str, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: own)
    assert (own in local_names()) == is_known
    assert {".internal", ".local"} <= set(local_names())


@each(
    ("given", "known"),
    [
        ("https://LLM.example/", "https://llm.example"),
        ("https://llm.example:443", "https://llm.example"),
        ("https://llm.example:8443", "https://llm.example:8443"),
        (" http://[::1]:80 ", "http://[::1]"),
    ],
)
def test_an_address_of_this_site_is_an_origin(given: str, known: str) -> None:
    assert web_origin(given) == known


@each("given", ["llm.example", "app://x", "https://", "https://a/b", "https://*.example", "null"])
def test_what_is_no_address_of_a_web_site_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="."):
        web_origin(given)


@each(
    ("known", "host"),
    [("https://a.example", "a.example"), ("https://a.example:8443", "a.example"), ("http://[::1]:90", "::1")],
)
def test_the_host_of_an_origin(known: str, host: str) -> None:
    assert host_of(known) == host


@each(
    ("given", "found"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        *(
            (one, "")
            for one in ("127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1", "", "a socket", "1.2.3")
        ),
    ],
)
def test_attempts_are_counted_for_the_neighbourhood_of_a_client(given: str, found: str) -> None:
    assert neighbourhood(given) == found


@each(
    ("given", "found"),
    [("127.0.0.1", "127.0.0.1/32"), (" 10.1.2.3/8", "10.0.0.0/8"), ("2001:DB8::1/64", "2001:db8::/64")],
)
def test_a_proxy_is_named_by_its_address_or_network(given: str, found: str) -> None:
    assert network(given) == found


@each("given", ["", "*", "localhost", "10.0.0.0/33", "10.0.0.1:80"])
def test_what_is_no_network_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="not an address or network"):
        network(given)
