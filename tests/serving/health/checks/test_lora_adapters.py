from inference.core.model_card import LoraCard
from inference.serving.health.checks.lora_adapters import lora_adapters
from tests.fakes import card

GOOD = LoraCard(name="good", path="/x")
BAD = LoraCard(name="bad", path="/x", problem="it has no adapter_config.json")


def test_nothing_is_said_without_adapters() -> None:
    assert list(lora_adapters([card()])) == []


def test_adapters_that_can_be_used_are_counted() -> None:
    (result,) = lora_adapters([card(loras=(GOOD,)), card("other", loras=(GOOD,))])
    assert (result.state, result.text) == ("good", "2 LoRA adapters, all readable")


def test_each_broken_one_is_named_with_its_reason() -> None:
    (result,) = lora_adapters([card(loras=(GOOD, BAD))])
    assert result.state == "look" and result.advice
    assert result.text == "tiny:bad cannot be used: it has no adapter_config.json"
