"""What is said of the settings."""

from typing import Any

import pytest

from inference.core.config import Config
from inference.serving.health.checks import site_settings

KEY = "a key that is long enough"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - never listened on


def states(**given: Any) -> dict[str, str]:
    return {result.text: result.state for result in site_settings.check()}


@pytest.mark.parametrize(
    ("given", "is_told"),
    [
        ({}, False),
        ({"host": EVERYWHERE, "api_key": KEY}, True),
        ({"host": EVERYWHERE, "api_key": KEY, "origins": "https://llm.example"}, False),
    ],
)
def test_a_site_without_tls_on_the_network_is_risky(settings: Any, given: Any, is_told: bool) -> None:
    settings.CONFIG = Config(**given)
    assert any("without TLS" in text for text in states()) == is_told


def test_an_open_site_on_the_network_is_wrong(settings: Any) -> None:
    settings.CONFIG = Config(host=EVERYWHERE)
    assert "wrong" in states().values()
