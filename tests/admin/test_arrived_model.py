from inference.admin.arrived_model import kind_of
from tests.each import each
from tests.fakes import card, serving


@each("kind", ["chat", "embedding", "rerank"])
def test_a_model_that_can_be_served_has_its_kind(kind: str) -> None:
    with serving(cards=[card("tiny", kind=kind)]):
        assert kind_of("tiny") == kind


def test_one_that_cannot_be_served_or_is_not_there_has_none() -> None:
    with serving(cards=[card("tiny", problem="no weights")]):
        assert (kind_of("tiny"), kind_of("another")) == ("", "")
