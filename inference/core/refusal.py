"""An error as it travels between processes."""

from msgspec import Struct


class Refusal(Struct, frozen=True, kw_only=True):
    """What a ServerError says, and which one it is."""

    code: str
    message: str
    param: str | None = None
    lengths: tuple[int, int] | None = None  # of ContextLengthExceeded
