"""What the settings panel shows of a model: its real defaults and its limits."""

import pytest
from django.test import override_settings

from inference.core.config import Config
from inference.core.errors import NotFound
from inference.core.model_card import LoraCard
from inference.core.requests import Sampling
from playground.model_settings import read
from tests.each import each
from tests.fakes import card, serving


def test_a_default_is_the_operators_then_the_models_then_neutral() -> None:
    model = card(sampling=Sampling(top_p=0.5), own_sampling=Sampling(temperature=0.2, top_p=0.9))
    with serving(cards=[model]):
        defaults = read("tiny")["defaults"]
    assert defaults["temperature"] == {"value": 0.2, "source": "model"}
    assert defaults["top_p"] == {"value": 0.5, "source": "server"}
    assert defaults["top_k"] == {"value": 0, "source": ""}


def test_zero_is_a_default_like_others() -> None:
    with serving(cards=[card(own_sampling=Sampling(temperature=0.0))]):
        assert read("tiny")["defaults"]["temperature"] == {"value": 0.0, "source": "model"}


@each(
    ("limit", "expected"),
    [
        (0, {"value": 8192, "source": "context"}),
        (512, {"value": 512, "source": "server"}),
        (100_000, {"value": 8192, "source": "context"}),
    ],
)
def test_the_longest_answer_is_known_beforehand(limit: int, expected: dict[str, object]) -> None:
    with serving(cards=[card()]), override_settings(CONFIG=Config(max_output_tokens=limit)):
        assert read("tiny")["defaults"]["max_tokens"] == expected


def test_an_adapter_of_a_model_has_its_defaults() -> None:
    lora = LoraCard(name="poet", path="/adapters/poet")
    with serving(cards=[card(own_sampling=Sampling(min_p=0.1), loras=(lora,))]):
        assert read("tiny:poet")["defaults"]["min_p"] == {"value": 0.1, "source": "model"}


@each("model", ["gone", "", "broken"])
def test_a_model_that_is_not_served_has_none(model: str) -> None:
    with serving(cards=[card(), card("broken", problem="its weights are gone")]), pytest.raises(NotFound):
        read(model)
