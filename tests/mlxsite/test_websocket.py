"""Websockets on a real socket: whatever a client sends, the log has no traceback of it."""

import base64
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mlxsite.websocket import StreamSocket
from tests.api.openai.asking import chat_body
from tests.api.openai.site import Site, started

KEY = base64.b64encode(b"0123456789abcdef")
TEXT, CONTINUED, CLOSE = 0x1, 0x0, 0x8


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def site(log: Path) -> Iterator[Site]:
    with log.open("w") as file, started(log=file) as site:
        httpx.post(f"{site.address}/v1/chat/completions", json=chat_body())
        yield site


@pytest.fixture(scope="module")
def quiet(site: Site, log: Path) -> Iterator[None]:
    """The log has no error of what was done in any of the tests; looked for after the last one."""
    before = log.stat().st_size
    yield
    time.sleep(1.2)  # errors of applications are logged once a second
    assert httpx.get(f"{site.address}/health").status_code == 200
    logged = log.read_text()[before:]
    assert "ERROR" not in logged and "Traceback" not in logged, logged


def handshake(site: Site, *headers: bytes, path: str = "/ws/models/") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", site.port), timeout=10)
    host = b"127.0.0.1:%d" % site.port
    lines = [
        *(b"GET %b HTTP/1.1" % path.encode(), b"Host: " + host, b"Origin: http://" + host),
        *(b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"),
        *(b"Sec-WebSocket-Key: " + KEY, *headers),
    ]
    client.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
    return client


def opened(site: Site) -> socket.socket:
    """A socket that receives the models."""
    client = handshake(site)
    answer = b""
    while b'"models"' not in answer:
        answer += client.recv(65536)
    return client


def frame(opcode: int, payload: bytes = b"", *, fin: int = 0x80, masked: bool = True, bits: int = 0) -> bytes:
    mask = b"\0\0\0\0" if masked else b""
    return bytes([fin | bits | opcode, (0x80 if masked else 0) | len(payload)]) + mask + payload


MALFORMED = {
    "reserved bits": frame(TEXT, b"x", bits=0x70),
    "unknown opcode": frame(0x3, b"x"),
    "no mask": frame(TEXT, b"x", masked=False),
    "no UTF-8": frame(TEXT, b"\xff\xfe"),
    "nothing to go on with": frame(CONTINUED, b"x"),
    "a fragmented ping": frame(0x9, b"x", fin=0),
    "a long ping": bytes([0x89, 0xFE]) + (200).to_bytes(2, "big") + b"\0\0\0\0" + b"x" * 200,
    "a close code that is none": frame(CLOSE, (999).to_bytes(2, "big")),
    "half a close code": frame(CLOSE, b"\x03"),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "too large": bytes([0x81, 0xFF]) + (2**40).to_bytes(8, "big") + b"\0\0\0\0",
}


def changing(site: Site, seconds: float) -> None:
    """Let the state of a model change again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with httpx.stream(
            "POST", f"{site.address}/v1/chat/completions", json=chat_body(model="slow", stream=True)
        ):
            time.sleep(0.3)
        time.sleep(0.3)


@pytest.mark.usefixtures("quiet")
def test_a_malformed_frame_is_no_error_of_the_server(site: Site) -> None:
    clients = [opened(site) for _ in MALFORMED]
    changing(site, 1.0)
    for client, raw in zip(clients, MALFORMED.values(), strict=True):
        client.sendall(raw)
    changing(site, 2.0)
    for client in clients:
        client.close()


def large_frame(opcode: int, size: int, *, fin: int = 0x80) -> bytes:
    return bytes([fin | opcode, 0xFF]) + size.to_bytes(8, "big") + b"\0\0\0\0" + b"x" * size


FLOODS = {
    "many messages": frame(TEXT, b"x" * 100),
    "large messages": large_frame(TEXT, 60_000),
    "a message beyond the limit": large_frame(TEXT, 1_100_000),
    "fragments without an end": large_frame(CONTINUED, 60_000, fin=0),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_client_that_floods_is_cut_and_costs_no_memory(site: Site, name: str) -> None:
    before = site.resident_mb
    with opened(site) as client:
        client.settimeout(20)
        if "fragments" in name:
            client.sendall(large_frame(TEXT, 60_000, fin=0))
        began = time.monotonic()
        with pytest.raises((ConnectionError, AssertionError)):
            while time.monotonic() - began < 60:
                client.sendall(FLOODS[name])
                assert not is_closed(client)
    assert time.monotonic() - began < 60
    assert site.resident_mb - before < 20
    assert httpx.get(f"{site.address}/health", timeout=5).status_code == 200


def test_pings_whose_answers_nobody_reads_cost_no_memory(site: Site) -> None:
    before = site.resident_mb
    with opened(site) as client:
        client.settimeout(5)
        with contextlib.suppress(OSError):  # it is cut, or has to wait
            for _ in range(3000):
                client.sendall(frame(0x9, b"x" * 100) * 100)
        assert site.resident_mb - before < 20
    assert httpx.get(f"{site.address}/health", timeout=5).status_code == 200


def is_closed(client: socket.socket) -> bool:
    """Whether the site has sent the end of the connection; what else it has sent is thrown away."""
    client.setblocking(False)
    try:
        return any(client.recv(65536) == b"" for _ in range(3))
    except BlockingIOError:
        return False
    finally:
        client.settimeout(20)


@pytest.mark.parametrize("state", ["STATE_CLOSED", "STATE_CLOSING"])
def test_a_closed_socket_receives_no_more(state: str) -> None:
    gone = StreamSocket()
    gone.state, gone.client_addr = getattr(StreamSocket, state), None
    gone.handle_reply({"type": "websocket.send", "text": "news"})
    gone.handle_reply({"type": "websocket.close", "code": 4500})
    assert gone.state == getattr(StreamSocket, state)


@pytest.mark.parametrize(
    "headers",
    [
        (b"Sec-WebSocket-Protocol: \xff\xfe",),
        (b"Sec-WebSocket-Protocol: caf\xc3\xa9, b",),
        (b"Daphne-Root-Path: \xff",),
        (b"Sec-WebSocket-Extensions: permessage-deflate; \xff",),
        (b"Sec-WebSocket-Key: short",),
        (b"Sec-WebSocket-Version: 1",),
        (b"Cookie: mlxsite_session=\xff\xfe\x01",),
        (b"X-Odd: \xff" * 1,),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("quiet")
def test_an_odd_handshake_is_no_error_of_the_server(site: Site, headers: tuple[bytes, ...]) -> None:
    with handshake(site, *headers) as client:
        client.settimeout(5)
        assert client.recv(100).startswith(b"HTTP/1.1 ")


@pytest.mark.usefixtures("quiet")
def test_odd_addresses_and_methods_are_no_error_of_the_server(site: Site) -> None:
    odd = b"\r\nHost: 127.0.0.1\r\nDaphne-Root-Path: \xff\r\nConnection: close\r\n\r\n"
    for line in (b"GET /%ff HTTP/1.1", b"GET /?a=\x80 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"G#T / HTTP/1.1"):
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
            client.sendall(line + odd)
            assert client.recv(100).startswith(b"HTTP/1.1 ")


def test_no_client_says_below_which_path_the_site_lies(site: Site) -> None:
    answer = httpx.get(f"{site.address}/admin/", headers={"Daphne-Root-Path": "//evil.example"})
    assert answer.headers["Location"].startswith("/admin/login/")
