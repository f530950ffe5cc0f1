"""The model of a request that names none."""

import asyncio

import pytest

from inference.core.errors import InvalidValue
from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.principal import ANYBODY
from inference.serving import control, default_model
from tests.each import each
from tests.fakes import FakeRunner, card, serving

VECTORS = card("vectors", kind="embedding")


@each(
    ("cards", "name"),
    [
        ([card("tiny")], "tiny"),
        ([VECTORS], "vectors"),
        ([card("tiny"), VECTORS], "tiny"),
        ([card("tiny"), card("bad", problem="no weights")], "tiny"),
    ],
)
async def test_the_only_model_is_meant_and_a_chat_model_first(cards: list[ModelCard], name: str) -> None:
    with serving(FakeRunner(), cards=cards):
        assert await default_model.name(ANYBODY) == name


async def test_the_loaded_one_of_several_is_meant() -> None:
    with serving(FakeRunner(), cards=[card("a"), card("b")]) as pool:
        with pytest.raises(InvalidValue, match="2 models exist and 0 are loaded"):
            await default_model.name(ANYBODY)
        await control.load("b")
        while pool.snapshot().of("b").state != ModelState.READY:
            await asyncio.sleep(0)
        assert await default_model.name(ANYBODY) == "b"
