"""What is read of one entry of the hub's answer, also of an odd one."""

from typing import Any

from inference.repository.discovery.hub_model import HubModel
from tests.each import each
from tests.repository.discovery.hub_answers import QWEN, entry


def test_an_entry_says_what_the_list_shows() -> None:
    model = HubModel.of(entry())
    assert model == HubModel(
        id=QWEN,
        downloads=123456,
        likes=42,
        updated="2026-10-03",
        family="qwen3",
        quantization="4bit",
        licence="apache-2.0",
        weight_bytes=2_020_000_000,
        chat_template="{% if enable_thinking %}<think>{% endif %}<|im_start|>{{ tools }}",
        is_mlx=True,
    )


def test_an_entry_that_says_nothing_is_no_more_than_its_id() -> None:
    assert HubModel.of({"id": "a/b"}) == HubModel(id="a/b")


@each(
    ("changes", "field", "found"),
    [
        ({"gated": "manual"}, "is_gated", True),
        ({"gated": "auto"}, "is_gated", True),
        ({"pipeline_tag": "image-text-to-text"}, "has_vision", True),
        ({"config": {"model_type": "llama"}}, "quantization", "4bit"),
        ({"config": {}, "tags": ["safetensors"]}, "quantization", "U32"),
        ({"config": {}, "tags": [], "library_name": "transformers"}, "is_mlx", False),
        ({"cardData": None}, "licence", "apache-2.0"),
        ({"cardData": {"license": "other", "license_name": "llama3.2"}}, "licence", "llama3.2"),
        ({"cardData": None, "tags": []}, "licence", ""),
        ({"safetensors": None}, "weight_bytes", 0),
        ({"config": {"chat_template_jinja": "{{ a }}"}}, "chat_template", "{{ a }}"),
    ],
)
def test_the_hub_says_it_in_several_places(changes: dict[str, Any], field: str, found: object) -> None:
    assert getattr(HubModel.of(entry(**changes)), field) == found


@each("odd", [None, 3, "a/b", [], {}, {"id": 3}, {"modelId": "a/b"}])
def test_what_has_no_id_is_none(odd: Any) -> None:
    assert HubModel.of(odd) is None


@each("odd", [None, 3, "x", [3, None], {"a": [1]}, -5, True, 1e300])
def test_odd_values_are_left_out(odd: Any) -> None:
    changes: dict[str, Any] = dict.fromkeys(entry(), odd) | {"id": "a/b"}
    model = HubModel.of(changes)
    assert model and model.id == "a/b" and (model.weight_bytes, model.chat_template) == (0, "")
    assert HubModel.of(entry(config={"tokenizer_config": odd, "quantization_config": odd}))
    assert HubModel.of(entry(safetensors={"parameters": odd}, cardData={"license": odd}))
