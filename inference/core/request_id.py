"""The id under which a client, the server and its log know one request."""

import re
import secrets
from contextvars import ContextVar

_CURRENT: ContextVar[str] = ContextVar("request_id", default="")
_USABLE = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)


def usable(sent: str = "") -> str:
    """The id that a client has sent, where it can be used, or else a new one."""
    return sent if _USABLE.fullmatch(sent) else f"req_{secrets.token_hex(12)}"


def begin(sent: str = "") -> str:
    """The id of the request that begins in this context: the client's own where it can be used."""
    made = usable(sent)
    _CURRENT.set(made)
    return made


def current() -> str:
    """The id of the request that is served in this context; empty outside one."""
    return _CURRENT.get()
