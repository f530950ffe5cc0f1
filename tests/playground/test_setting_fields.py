"""The settings panel and the API agree: on the fields, and on what each may be."""

import re
from typing import Any

import pytest

from inference.core.config import BASE_DIR
from inference.core.errors import ServerError
from playground.chat_request import validated
from playground.setting_fields import ALTERNATIVES, BUDGET, CONTEXT, LENGTH, SAMPLING, SEED, NumberSetting

NUMBERS = (*SAMPLING, LENGTH, SEED, BUDGET, ALTERNATIVES)


def is_accepted(name: str, value: Any) -> bool:
    extra = {"logprobs": True} if name == "top_logprobs" else {}
    try:
        validated({"model": "tiny", name: value, **extra})
    except ServerError:
        return False
    return True


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
def test_the_panel_permits_what_the_api_permits(setting: NumberSetting) -> None:
    limits = setting.limits
    assert is_accepted(setting.name, limits["most"])
    assert is_accepted(setting.name, limits["least"] if "least" in limits else limits["above"] + 0.01)
    if setting is not SEED:  # its limits are those of JavaScript
        assert not is_accepted(setting.name, limits["most"] + 1)
        assert not is_accepted(setting.name, limits["least"] - 3 if "least" in limits else limits["above"])
    assert not limits["whole"] or not is_accepted(setting.name, 1.5)


@pytest.mark.parametrize("setting", SAMPLING, ids=lambda setting: setting.name)
def test_sliders_stay_within_the_limits(setting: NumberSetting) -> None:
    assert setting.low is not None and setting.high is not None
    assert setting.limits.get("least", 0) <= setting.low < setting.high <= setting.limits["most"]


def test_the_script_knows_the_same_numbers() -> None:
    script = (BASE_DIR / "static/playground/settings-request.js").read_text()
    listed = re.search(r"NUMBERS = \[(.*?)\]", script, re.DOTALL)
    assert listed
    assert set(re.findall(r'"(\w+)"', listed[1])) == {setting.name for setting in NUMBERS}


def test_as_many_stop_sequences_are_permitted_as_the_api_takes() -> None:
    most, longest = CONTEXT["most_stops"], CONTEXT["longest_stop"]
    assert is_accepted("stop", ["x" * longest] * most)
    assert not is_accepted("stop", ["x"] * (most + 1))
    assert not is_accepted("stop", ["x" * (longest + 1)])
