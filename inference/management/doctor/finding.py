"""What was found by looking at one thing."""

from typing import Any, Literal

import msgspec
from msgspec import Struct

State = Literal["good", "look", "wrong"]


class Figures(Struct, frozen=True, kw_only=True):
    """How fast a model answered: seconds, tokens a second, bytes."""

    model: str
    device: str  # "cpu", "gpu"
    load_s: float
    prompt_tokens: int
    prompt_s: float
    prompt_rate: float
    tokens: int
    decode_s: float
    decode_rate: float
    peak_bytes: int
    has_filled_room: bool  # of its context or the memory; else its time was over


class CheckResult(Struct, frozen=True, kw_only=True):
    """One thing that was looked at; `advice` says what to do where it is not good."""

    about: str
    text: str
    state: State = "good"
    advice: str = ""
    figures: Figures | None = None  # of the model that answered


def whole(looked: list[CheckResult]) -> dict[str, Any]:
    """The same as plain data, with the worst state of all."""
    states = {one.state for one in looked}
    worst = next((state for state in ("wrong", "look") if state in states), "good")
    return {"state": worst, "looked_at": msgspec.to_builtins(looked)}
