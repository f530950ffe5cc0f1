from tests.adapters.family_models import make, rendered, stops

SPECIAL = ("<s>", "</s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>")
LLAMA_2 = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '<s>[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + ' </s>' }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
CODE_70B = "{% for m in messages %}Source: {{ m['role'] }}\n\n {{ m['content'] }} <step> {% endfor %}"


def test_both_ends_stop_even_when_the_config_names_none() -> None:
    adapter, tokenizer = make(LLAMA_2, SPECIAL, config={"model_type": "llama"})
    assert adapter.name == "codellama"
    assert stops(adapter, tokenizer) == {"</s>", "▁<EOT>"}


def test_the_turns_of_the_70b_end_with_its_step() -> None:
    facts = {"config": {"model_type": "llama"}, "tokenizer_config": {"tokenizer_class": "CodeLlamaTokenizer"}}
    adapter, tokenizer = make(CODE_70B, ("<s>", "</s>", "<step>"), **facts)
    assert stops(adapter, tokenizer) == {"</s>", "<step>"}


def test_the_tokenizers_class_identifies_a_base_model_without_a_template() -> None:
    adapter, _ = make(
        "",
        SPECIAL,
        config={"model_type": "llama"},
        tokenizer_config={"tokenizer_class": "CodeLlamaTokenizer"},
    )
    assert adapter.name == "codellama"


def test_the_prompt_is_in_inst() -> None:
    adapter, tokenizer = make(LLAMA_2, SPECIAL, config={"model_type": "llama"})
    assert (
        rendered(adapter, tokenizer, "hi", "yes", "go") == "<s>[INST] hi [/INST] yes </s><s>[INST] go [/INST]"
    )
