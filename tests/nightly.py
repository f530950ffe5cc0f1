"""What is left to the nightly run: more cases of kinds that the gate has already."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
IS_NIGHTLY = "MLXSITE_NIGHTLY" in os.environ


def nightly(test: Callable[..., Any]) -> Any:
    """Leave a test to the nightly run: pytest finds none in the gate, where a skipped one is a failure."""
    return test if IS_NIGHTLY else None


def of_each_kind(cases: Iterable[T], gate: Sequence[T]) -> list[T]:
    """All cases in the nightly run; in the gate those of `gate`, which are among them."""
    every = list(cases)
    assert all(case in every for case in gate)
    return every if IS_NIGHTLY else list(gate)
