"""Errors that may be gone at the next try."""

import socket

import httpx
import pytest

from inference.repository.downloads.errors import HubBusy
from inference.repository.downloads.transient_error import TransientError, unreachable_text

REQUEST = httpx.Request("GET", "https://hub.example/x")


def test_it_has_the_text_of_the_error_that_follows() -> None:
    error = TransientError(HubBusy("The hub asks to wait."), wait_s=3)
    assert (str(error), error.wait_s) == ("The hub asks to wait.", 3)


def test_a_name_that_cannot_be_resolved_is_found_below_other_errors() -> None:
    error = httpx.ConnectError("failed", request=REQUEST)
    error.__cause__ = OSError("wrapped")
    error.__cause__.__context__ = socket.gaierror(-2, "unknown")
    assert unreachable_text(error) == "The name hub.example cannot be resolved: is this machine online?"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("[Errno 111] Connection refused", "hub.example cannot be reached (Connection refused)."),
        ("", "hub.example cannot be reached."),
    ],
)
def test_another_reason_has_no_number(given: str, text: str) -> None:
    error = httpx.ConnectError(given, request=REQUEST)
    assert unreachable_text(error) == f"{text} Check the network."
