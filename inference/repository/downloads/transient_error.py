"""Errors of the network and of the hub that may be gone at the next try."""

import re
import socket

import httpx

from inference.repository.downloads.errors import FetchFailed

_NUMBER = re.compile(r"\[Errno -?\d+\] ")


class TransientError(Exception):
    """An error that may be gone at the next try; `then` is raised when it is not."""

    def __init__(self, then: FetchFailed, *, wait_s: float = 0.0) -> None:
        super().__init__(str(then))
        self.then = then
        self.wait_s = wait_s


class Unreachable(TransientError):
    """Nothing listens at the hub's address, or there is no route to it."""


def unreachable_text(error: httpx.TransportError) -> str:
    """Why a host cannot be reached, as a text."""
    host = error.request.url.host
    cause: BaseException | None = error
    while cause and not isinstance(cause, socket.gaierror):
        cause = cause.__cause__ or cause.__context__
    if cause:
        return f"The name {host} cannot be resolved: is this machine online?"
    why = _NUMBER.sub("", str(error))  # such as an unknown certificate
    return f"{host} cannot be reached{f' ({why})' if why else ''}. Check the network."
