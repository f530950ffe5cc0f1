"""Names of models as Ollama writes them."""

import pytest

from inference.api.ollama.model_names import card_of, own_name, tagged
from inference.core.errors import ModelNotFound
from tests.each import each
from tests.fakes import FakeRunner, card, serving


@each(
    ("name", "listed"),
    [("tiny", "tiny:latest"), ("tiny:4b", "tiny:4b"), ("host:80/tiny", "host:80/tiny:latest")],
)
def test_a_model_without_a_tag_is_the_latest(name: str, listed: str) -> None:
    assert tagged(name) == listed


async def test_the_tag_is_left_out_unless_it_is_a_part_of_the_name() -> None:
    with serving(FakeRunner(), cards=[card("tiny"), card("odd:latest")]):
        names = [await own_name(name) for name in ("tiny:latest", "odd:latest", "odd", "none:latest", "a:4b")]
    assert names == ["tiny", "odd:latest", "odd", "none", "a:4b"]


async def test_a_model_that_cannot_be_served_is_not_found() -> None:
    with serving(FakeRunner(), cards=[card("tiny"), card("bad", problem="no weights")]):
        assert (await card_of("tiny:latest")).id == "tiny"
        for name in ("bad", "none:latest"):
            with pytest.raises(ModelNotFound, match=name):
                await card_of(name)
