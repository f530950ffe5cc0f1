from inference.admin.lora_lines import lora_lines
from inference.core.model_card import LoraCard
from tests.fakes import GB, card

GOOD = LoraCard(name="good", path="/x", resident_bytes=GB // 10)
BAD = LoraCard(name="bad", path="/x", problem="its tensor <b> is odd")


def test_each_adapter_has_a_line_with_its_id_and_its_memory_or_its_problem() -> None:
    lines = lora_lines(card(loras=(GOOD, BAD))).split("<br>")
    assert lines == [
        "tiny:good: 0.1 GB more memory once it is used",
        "tiny:bad: cannot be used: its tensor &lt;b&gt; is odd",
    ]


def test_a_model_without_adapters_says_where_they_would_be() -> None:
    assert "“adapters”" in lora_lines(card())
    assert lora_lines(None).startswith("None")
