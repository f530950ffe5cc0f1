"""Waiting for what becomes of conversions."""

import time
from collections.abc import Callable

from inference.repository.conversions.active_conversion import ActiveConversion, ConversionState, P, R
from inference.repository.conversions.register import Conversions


def until(
    register: Conversions[P, R], fits: Callable[[ActiveConversion[P, R]], bool], name: str = "tiny-4bit"
) -> ActiveConversion[P, R]:
    end = time.monotonic() + 120
    while True:
        found = register.of(name)
        if found and fits(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.02)


def has_ended(one: ActiveConversion[P, R]) -> bool:
    return not one.is_active


def has_begun(one: ActiveConversion[P, R]) -> bool:
    return one.state is ConversionState.RUNNING and bool(one.progress.steps)
