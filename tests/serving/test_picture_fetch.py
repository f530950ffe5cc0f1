"""Pictures by address: from hosts that are allowed, at public addresses, within limits, and nowhere else."""

import asyncio
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from PIL import Image

from inference.core.errors import InvalidValue
from inference.core.requests import PICTURE, ChatRequest, Message, Picture
from inference.serving.picture_fetch import NotFetched, PictureFetch, allowed, is_public
from tests.each import each
from tests.tiny_vision import drawn, picture

RED = picture(Image.new("RGB", (8, 6), "red"))
BLUE = picture(drawn(20, 10), "JPEG")


class Server(ThreadingHTTPServer):
    """Keeps the host, the path and the headers of each request."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: list[tuple[str, str, dict[str, str]]] = []


class Handler(BaseHTTPRequestHandler):
    """Sends pictures, and what a hostile host would send."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.headers["Host"], self.path, dict(self.headers)))
        match self.path:
            case "/red.png":
                self.send(200, RED.data)
            case "/blue.jpg":
                self.send(200, BLUE.data)
            case "/moved":
                self.send(302, b"", Location="/red.png")
            case "/away":
                self.send(302, b"", Location="http://169.254.169.254/latest")
            case "/in":
                self.send(307, b"", Location=f"http://127.0.0.1:{server.server_port}/red.png")
            case "/round":
                self.send(301, b"", Location="/round")
            case "/text":
                self.send(200, b"<html>")
            case "/bomb":
                self.send(200, bytes(5000))
            case "/slow":
                time.sleep(1)
                self.send(200, RED.data)
            case "/short":
                self.send(200, RED.data[:10], **{"Content-Length": "99"})
            case _:
                self.send(404, b"")

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with serving() as found:
        yield found


class serving:
    """A web server on loopback; with a certificate it speaks TLS."""

    def __init__(self, certificate: Path | None = None) -> None:
        self._server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Any:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self._server

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def at(server: Any, path: str, host: str = "localhost") -> str:
    return f"http://{host}:{server.server_port}{path}"


def fetching(server: Any, **options: Any) -> PictureFetch:
    return PictureFetch(
        [f"localhost:{server.server_port}"], **({"is_allowed": lambda address: True} | options)
    )


def asked(*urls: str) -> ChatRequest:
    pictures = tuple(
        Picture(data=b"", media_type="", width=0, height=0, url=url, detail="low") for url in urls
    )
    own = Message(role="user", content=PICTURE, pictures=(RED,))
    named = Message(role="user", content=PICTURE * len(urls), pictures=pictures)
    return ChatRequest(model="m", messages=(own, named))


def run(fetch: PictureFetch, *urls: str) -> tuple[Picture, ...]:
    return asyncio.run(fetch.fetched(asked(*urls))).messages[1].pictures


def refusal(fetch: PictureFetch, *urls: str) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        run(fetch, *urls)
    assert caught.value.param == "messages.1.content"
    assert caught.value.message.startswith("Could not process image: ")
    return caught.value


def test_pictures_of_an_allowed_host_come_in_order_and_each_once(server: Any) -> None:
    server.asked.clear()
    red, blue = at(server, "/red.png"), at(server, "/blue.jpg")
    found = run(fetching(server), blue, red, at(server, "/moved"), blue)
    assert [one.data for one in found] == [BLUE.data, RED.data, RED.data, BLUE.data]
    assert [(one.media_type, one.width, one.url, one.detail) for one in found[:2]] == [
        ("image/jpeg", 20, "", "low"),
        ("image/png", 8, "", "low"),
    ]
    assert sorted(path for _, path, _ in server.asked) == ["/blue.jpg", "/moved", "/red.png", "/red.png"]
    assert {host for host, _, _ in server.asked} == {f"localhost:{server.server_port}"}
    assert not any("cookie" in map(str.lower, headers) for _, _, headers in server.asked)


def test_a_request_without_addresses_is_left_as_it_is(server: Any) -> None:
    request = asked()
    assert asyncio.run(fetching(server).fetched(request)) is request


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/away", "leads to another host"),
        ("/in", "leads to another host"),
        ("/round", "without an end"),
        ("/none", "answers with 404"),
        ("/text", "not a PNG, JPEG, WebP or GIF"),
        ("/bomb", "a picture may have 2,000 bytes"),
        ("/short", "did not send it"),
    ],
)
def test_what_a_hostile_host_sends_is_refused(server: Any, path: str, says: str) -> None:
    config = settings.CONFIG.model_copy(update={"picture_bytes": 2000})
    with override_settings(CONFIG=config):
        assert says in refusal(fetching(server), at(server, "/red.png"), at(server, path)).message


def test_one_that_takes_too_long_is_given_up(server: Any) -> None:
    assert "within 0.2 seconds" in refusal(fetching(server, timeout_s=0.2), at(server, "/slow")).message


def test_a_name_with_a_private_address_is_not_asked(server: Any) -> None:
    server.asked.clear()
    fetch = PictureFetch([f"localhost:{server.server_port}"])
    assert "localhost is in a private network" in refusal(fetch, at(server, "/red.png")).message
    assert server.asked == []


def test_a_host_that_does_not_answer_is_named() -> None:
    with serving() as gone:
        fetch, url = fetching(gone), at(gone, "/red.png")
    assert "localhost did not send it" in refusal(fetch, url).message


def test_tls_is_checked_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    certificate = tmp_path / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *names], cwd=tmp_path, check=True, capture_output=True)
    certificate.write_text((tmp_path / "cert.pem").read_text() + (tmp_path / "key.pem").read_text())
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with serving(certificate) as server:
        url = at(server, "/red.png").replace("http:", "https:")
        assert run(fetching(server, tls=trusting), url)[0].data == RED.data
        assert "did not send it" in refusal(fetching(server), url).message


@each(
    "url",
    [
        "http://evil.example/a.png",
        "http://img.example.evil.example/a.png",
        "http://img.example:8080/a.png",
        "http://user:password@img.example/a.png",
        "http://img.example@evil.example/a.png",
        "http://evil.example#@img.example/a.png",
        "http://evil.example\\@img.example/a.png",
        "http://img.example:99999/a.png",
        "http://[::1/a.png",
        "http:///a.png",
        "ftp://img.example/a.png",
        "file:///etc/passwd",
        "http://127.0.0.1/a.png",
        "http://img.example/a b.png",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(NotFetched):
        allowed(url, ["img.example"])


@each(
    ("url", "found"),
    [
        ("https://img.example/a.png?b=c", ("img.example", 443)),
        ("HTTP://IMG.example./a.png", ("img.example", 80)),
        ("http://other.example:8080/a.png", ("other.example", 8080)),
    ],
)
def test_exact_names_and_ports_are_allowed(url: str, found: tuple[str, int]) -> None:
    assert allowed(url, ["img.example", "other.example:8080"]) == found


@each(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "224.0.0.1"),
        "ff02::1",
    ],
)
def test_addresses_of_machines_and_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)
