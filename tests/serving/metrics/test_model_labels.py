from inference.serving.metrics.model_labels import OTHER, UNKNOWN, ModelLabels
from tests.fakes import card


def test_a_model_has_its_id() -> None:
    assert ModelLabels().of_card(card("owner/tiny")) == "owner/tiny"


def test_a_name_that_no_model_has_is_no_label() -> None:
    assert ModelLabels().of_card(None) == UNKNOWN


def test_models_beyond_the_limit_share_a_label_and_the_first_keep_theirs() -> None:
    labels = ModelLabels(most=2)
    assert [labels.of_id(name) for name in ("a", "b", "c", "d", "a")] == ["a", "b", OTHER, OTHER, "a"]
