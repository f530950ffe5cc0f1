"""A part of an answer, as the readers return it."""

from dataclasses import dataclass
from typing import Literal

Channel = Literal["text", "reasoning", "tool"]


@dataclass(frozen=True)
class Piece:
    """Some text of one channel.

    A call consists of several pieces with the same number `call`: the first has its `id` and `name`, the
    others have its arguments as `text`.
    """

    channel: Channel
    text: str
    call: int = 0
    id: str = ""
    name: str = ""
