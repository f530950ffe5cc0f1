import pytest

from tests.adapters.family_models import chat_request, make, real, rendered, stops
from tests.tiny import CHATML


def test_the_templates_own_terminator_stops_when_no_file_names_it() -> None:
    adapter, tokenizer = make(CHATML, config={"model_type": "llama"})
    assert (adapter.name, stops(adapter, tokenizer)) == ("default", {"<|im_end|>"})


@pytest.mark.parametrize(
    ("name", "model_type", "expected"),
    [("qwen3", "something-new", {"<|im_end|>"})],
)
def test_real_tokenizers_and_templates_have_their_ends(
    name: str, model_type: str, expected: set[str]
) -> None:
    adapter, tokenizer = real(name, model_type)
    assert (adapter.name, stops(adapter, tokenizer)) == ("default", expected)


def test_reasoning_of_a_real_template_is_read() -> None:
    adapter, tokenizer = real("qwen3", "qwen3")
    reader = adapter.reader(tokenizer.encode(rendered(adapter, tokenizer, "hi")), chat_request())
    pieces = reader.feed("<think>\nhm\n</think>\n\nHello") + reader.flush()
    assert [(piece.channel, piece.text) for piece in pieces] == [
        ("reasoning", "hm"),
        ("text", "Hello"),
    ]


def test_the_prompt_is_the_templates() -> None:
    adapter, tokenizer = make(CHATML, config={"model_type": "qwen2"})
    assert rendered(adapter, tokenizer, "hi") == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
