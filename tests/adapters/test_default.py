from tests.adapters.families import make, rendered, stops
from tests.tiny import CHATML


def test_the_templates_own_terminator_stops_when_no_file_names_it() -> None:
    adapter, tokenizer = make(CHATML, config={"model_type": "llama"})
    assert (adapter.name, stops(adapter, tokenizer)) == ("default", {"<|im_end|>"})


def test_the_prompt_is_the_templates() -> None:
    adapter, tokenizer = make(CHATML, config={"model_type": "qwen2"})
    assert rendered(adapter, tokenizer, "hi") == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
