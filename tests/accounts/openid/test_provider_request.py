"""Requests to a provider: what it may answer, and for how long."""

import socket
import threading
import time

import pytest

from inference.accounts.openid import provider_request
from inference.accounts.openid.errors import ProviderUnavailable
from inference.accounts.openid.provider_request import ProviderRefused
from tests.openid_provider import OpenIDProvider


def test_an_error_has_the_providers_word_for_it() -> None:
    with OpenIDProvider() as there:
        with pytest.raises(ProviderRefused) as refused:
            provider_request.read(f"{there.issuer}/token", form={"code": "x"})
        assert refused.value.code == "invalid_client" and "401 (invalid_client)" in refused.value.reason
        with pytest.raises(ProviderRefused) as refused:
            provider_request.read(f"{there.issuer}/nowhere")
        assert refused.value.code == ""


def test_nobody_listens() -> None:
    with pytest.raises(ProviderUnavailable, match="http://127.0.0.1:9/: "):
        provider_request.read("http://127.0.0.1:9/")


def test_a_provider_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_request, "_MOST_S", 0.3)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(100):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=drip)
    thread.start()
    with pytest.raises(ProviderUnavailable, match="too slowly"):
        provider_request.read(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    thread.join()
    listener.close()
