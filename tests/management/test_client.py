"""The commands against a real site of another process, and against none."""

import os
import socket
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from inference.core.config import Config
from inference.management.client import Client
from inference.serving import site_lock
from tests.api.openai.site import Site, started
from tests.each import each


@pytest.fixture
def site(served_site: Site) -> Site:
    return served_site


@pytest.fixture(scope="module")
def closed() -> Iterator[Site]:
    """A site with a key."""
    with started(os.environ | {"MLX_SERVER_API_KEY": "sesame"}) as site:
        yield site


def call(site: Site, *arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, "--port", str(site.port), stdout=out)
    return out.getvalue()


def test_a_model_is_loaded_shown_and_unloaded(site: Site) -> None:
    assert call(site, "load", "tiny").endswith("s).\n")
    assert "tiny" in call(site, "pool")
    assert call(site, "unload", "tiny").endswith("tiny is unloaded.\n")


def test_pins_go_through_the_site(site: Site) -> None:
    assert call(site, "pin", "tiny") == "tiny is pinned.\n"
    assert call(site, "unpin", "tiny") == "tiny is unpinned.\n"


@pytest.mark.parametrize("command", ["load", "unload", "pin", "unpin"])
def test_what_the_site_refuses_is_reported(site: Site, command: str) -> None:
    with pytest.raises(CommandError, match="There is no model 'none'; `python manage.py models`"):
        call(site, command, "none")


def test_a_site_of_another_secret_is_named_as_such(closed: Site, settings: Settings) -> None:
    settings.SECRET_KEY = "another"
    with pytest.raises(CommandError, match="MLX_SERVER_DATA_DIR"):
        call(closed, "pool")


def test_the_token_opens_a_site_with_a_key(closed: Site) -> None:
    assert call(closed, "pool").startswith("Models hold")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@each("command", [("load", "x"), ("unload", "x"), ("pool",)])
def test_without_a_site_the_way_to_start_one_is_reported(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="manage.py serve") as response:
        call_command(*command, "--port", str(free_port()))
    assert type(response.value) is CommandError  # its name is printed


def test_the_site_of_this_data_folder_is_found_without_its_port(site: Site, settings: Settings) -> None:
    settings.CONFIG = Config(port=free_port())
    with site_lock.locked(settings.CONFIG.data_dir) as place:
        place.listens("0.0.0.0", site.port)
        out = StringIO()
        call_command("pool", stdout=out)
        with pytest.raises(
            CommandError, match=f"No site can be reached.*folder: at http://0.0.0.0:{site.port}, process"
        ):
            call_command("pool", "--port", str(settings.CONFIG.port))  # what is given wins
    assert out.getvalue().startswith("Models hold")
    with pytest.raises(CommandError, match="No site is running at"):
        call_command("pool")


@pytest.mark.parametrize("command", [("load", "x"), ("pin", "x"), ("pool",)])
def test_a_site_that_runs_but_cannot_be_reached_is_reported_as_such(
    command: tuple[str, ...], settings: Settings
) -> None:
    with site_lock.locked(settings.CONFIG.data_dir) as place:
        with pytest.raises(CommandError, match="still starting"):
            call_command(*command)
        place.listens("127.0.0.1", free_port())
        with pytest.raises(CommandError, match="No site can be reached"):
            call_command(*command)


def test_a_site_that_says_something_else_is_another_program() -> None:
    class Answering(Client):
        def error(self, answer: bytes) -> str:
            return str(self._response_error(500, answer))

    client = Answering("127.0.0.1", 1)
    assert {client.error(body) for body in (b"<html>", b"[]", b'{"error": 5}')} == {
        "The server at http://127.0.0.1:1 responds with 500: is it another program?"
    }


@each(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("localhost", "http://localhost:8000"),
    ],
)
def test_a_site_that_listens_everywhere_is_found_here(host: str, address: str) -> None:
    assert Client(host, 8000).address == address


def test_a_port_that_only_the_site_knows_has_to_be_given(settings: Settings) -> None:
    settings.CONFIG = Config(port=0)
    with pytest.raises(CommandError, match="--port"):
        call_command("pool")
