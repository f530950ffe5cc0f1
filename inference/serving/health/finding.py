"""The result of one check."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

State = Literal["good", "look", "wrong"]


class SpeedFigures(Struct, frozen=True, kw_only=True):
    """The speed of a model: seconds, tokens per second, bytes."""

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
    # It stopped because context or memory were full, and not because the time was over.
    has_filled_context: bool = msgspec.field(name="has_filled_room")


class CheckResult(Struct, frozen=True, kw_only=True):
    """The result of one check; `advice` says what to do unless the state is good."""

    about: str
    text: str
    state: State = "good"
    advice: str = ""
    link: str = ""  # to the page of the admin where it is done
    figures: SpeedFigures | None = None  # of the model that ran


def worst(results: Iterable[CheckResult]) -> State:
    """The worst of their states."""
    states = {result.state for result in results}
    return "wrong" if "wrong" in states else "look" if "look" in states else "good"


def as_data(results: Sequence[CheckResult]) -> dict[str, Any]:
    """The results as plain data for JSON, with the worst of their states."""
    return {"state": worst(results), "looked_at": msgspec.to_builtins(results)}
