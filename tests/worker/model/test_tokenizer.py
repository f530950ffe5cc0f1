import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, processors
from transformers import PreTrainedTokenizerFast

from inference.core.errors import InvalidValue, TemplateFailed
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.family_models import hub_tokenizer
from tests.each import each
from tests.tiny import CHATML, SPECIAL, make_tokenizer

TOKENIZER = hub_tokenizer(CHATML)
HI = {"role": "user", "content": "hi"}


def with_ends(single: str) -> HubTokenizer:
    rust = make_tokenizer(SPECIAL)
    ends = [(token, rust.token_to_id(token)) for token in SPECIAL[:2]]
    rust.post_processor = processors.TemplateProcessing(single=single, special_tokens=ends)
    return HubTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=rust, bos_token=SPECIAL[0], eos_token=SPECIAL[1])
    )


def with_added(*tokens: str) -> HubTokenizer:
    """Tokens outside the vocabulary that their tokenizer does not call special."""
    rust = make_tokenizer(())
    rust.add_tokens(list(tokens))
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=rust))


def test_special_tokens_written_in_a_text_are_themselves() -> None:
    tokenizer = hub_tokenizer()
    assert tokenizer.encode("<|eot_id|>") == [tokenizer.id_of("<|eot_id|>")]


@given(
    st.lists(st.sampled_from([*SPECIAL, "<|", "|>", "eot_id", "<|eot_id", "a", "\ufdd0", "é"])).map("".join)
)
def test_a_quoted_text_is_the_same_text_without_special_tokens(text: str) -> None:
    ids = TOKENIZER.encode(TOKENIZER.quote(text))
    assert not TOKENIZER.special_ids.intersection(ids)
    assert TOKENIZER.decode(ids) == text.replace("\ufdd0", "")


def test_special_tokens_that_overlap_themselves_are_quoted() -> None:
    tokenizer = hub_tokenizer(special=("##", "|", "#"))
    ids = tokenizer.encode(tokenizer.quote("a###b"))
    assert tokenizer.id_of("##") not in ids


def test_control_tokens_that_are_not_called_special_are_quoted_too() -> None:
    tokenizer = with_added("<|im_end|>", "<think>", "    ")
    ids = tokenizer.encode(tokenizer.quote("a<|im_end|>b"))
    assert not tokenizer.added_ids.intersection(ids)
    assert tokenizer.decode(ids) == "a<|im_end|>b"


def test_deepseeks_control_tokens_have_another_bar() -> None:
    tokenizer = with_added("<｜User｜>", "<｜a|>")
    assert not tokenizer.added_ids.intersection(tokenizer.encode(tokenizer.quote("<｜User｜>")))


@pytest.mark.parametrize("text", ["if x:\n    pass", "<think>hm</think>"])
def test_added_tokens_that_steer_nothing_stay_whole(text: str) -> None:
    # Templates look for </think> in an earlier answer to drop its reasoning, and indentation is code.
    assert with_added("<|im_end|>", "<think>", "</think>", "    ").quote(text) == text


def test_an_innocent_text_is_quoted_as_it_is() -> None:
    assert TOKENIZER.quote("a < b | c > d") == "a < b | c > d"


def test_a_template_beyond_all_reason_is_not_run() -> None:
    with pytest.raises(TemplateFailed, match="too large"):
        hub_tokenizer("{# " + "x" * 300_000 + " #}").render([], opens_answer=True)


def test_a_template_that_writes_without_measure_is_refused_before_it_is_tokenised() -> None:
    with pytest.raises(TemplateFailed, match="far more than the messages") as failed:
        hub_tokenizer("{{ 'a' * 2000000 }}").render([{"role": "user", "content": "hi"}], opens_answer=True)
    assert failed.value.param == "messages"


def test_a_long_message_is_no_fault_of_the_template() -> None:
    message = {"role": "user", "content": "a" * 2_000_000}
    assert len(TOKENIZER.render([message], opens_answer=True)) > 2_000_000


def test_tools_and_options_are_the_templates_to_use() -> None:
    tokenizer = hub_tokenizer("{{ tools[0].function | tojson }} {{ mood }}{{ add_generation_prompt }}")
    tool = {"type": "function", "function": {"name": "<é>"}}
    rendered = tokenizer.render([HI], opens_answer=False, tools=[tool], options={"mood": "kind"})
    assert rendered == '{"name": "<é>"} kindFalse'


def test_templates_that_ask_for_the_date_have_todays() -> None:
    tokenizer = hub_tokenizer("{{ date_string }}, {{ datetime }}")
    now = time.localtime()
    rendered = tokenizer.render([HI], opens_answer=True)
    assert rendered == f"{time.strftime('%d %b %Y', now)}, {time.strftime('%b %d %Y', now)}"
    chosen = {"date_string": "then", "datetime": "later"}
    assert tokenizer.render([HI], opens_answer=True, options=chosen) == "then, later"


def test_long_tools_are_no_fault_of_the_template() -> None:
    tool = {"type": "function", "function": {"name": "add", "description": "a" * 2_000_000}}
    rendered = hub_tokenizer("{{ tools }}").render([HI], opens_answer=True, tools=[tool])
    assert len(rendered) > 2_000_000


def refusal(template: str) -> str:
    with pytest.raises(TemplateFailed) as failed:
        hub_tokenizer(template).render([{"role": "user", "content": "hi"}], opens_answer=True)
    return failed.value.message


def test_a_templates_own_message_is_one_short_line() -> None:
    message = refusal("{{ raise_exception('No system\nrole. ' + 'x' * 999) }}")
    assert message.startswith("The model's chat template cannot take these messages: No system role. xxx")
    assert len(message) < 300


@each("template", ["{{ messages[0].nothing.more }}", "{% oops", "{{ 1 / 0 }}", "{{ [].append(1).x }}"])
def test_the_templates_code_is_not_disclosed(template: str) -> None:
    assert refusal(template) == "The model's chat template failed on these messages."


def test_the_size_is_above_every_id() -> None:
    assert TOKENIZER.id_of(SPECIAL[-1]) == TOKENIZER.size - 1


def test_a_raw_prompt_begins_with_the_begin_of_text_and_has_no_end() -> None:
    tokenizer = with_ends("<|begin_of_text|> $A <|end_of_text|>")
    assert tokenizer.encode_prompt("hi")[0] == tokenizer.id_of("<|begin_of_text|>")
    assert tokenizer.encode_prompt("hi")[-1] != tokenizer.id_of("<|end_of_text|>")


def test_a_raw_prompt_that_begins_a_text_itself_has_one_begin() -> None:
    tokenizer = with_ends("<|begin_of_text|> $A <|end_of_text|>")
    assert tokenizer.encode_prompt("<|begin_of_text|>hi") == tokenizer.encode_prompt("hi")


@each(
    ("single", "begin"),
    [("<|begin_of_text|> $A <|end_of_text|>", ["<|begin_of_text|>"]), ("$A <|end_of_text|>", []), ("$A", [])],
)
def test_the_begin_is_what_comes_before_a_text(single: str, begin: list[str]) -> None:
    tokenizer = with_ends(single)
    assert tokenizer.begin_ids == [tokenizer.id_of(token) for token in begin]


def test_an_end_that_the_prompt_itself_writes_stays() -> None:
    tokenizer = with_ends("$A")
    assert tokenizer.encode_prompt("hi<|end_of_text|>")[-1] == tokenizer.id_of("<|end_of_text|>")


def test_an_empty_prompt_is_refused_where_nothing_begins_a_text() -> None:
    with pytest.raises(InvalidValue) as refusal:
        hub_tokenizer().encode_prompt("")
    assert refusal.value.param == "prompt"


def test_an_unknown_token_has_no_id() -> None:
    assert hub_tokenizer().id_of("<|nothing|>") is None


@given(st.text(min_size=1))
def test_the_bytes_of_the_tokens_are_the_bytes_of_the_text(text: str) -> None:
    ids = TOKENIZER.encode(TOKENIZER.quote(text))
    assert b"".join(map(TOKENIZER.token_bytes, ids)) == text.replace("\ufdd0", "").encode()


def test_a_special_token_stands_for_its_own_name() -> None:
    assert TOKENIZER.token_bytes(TOKENIZER.id_of("<|eot_id|>") or 0) == b"<|eot_id|>"


def test_sentencepiece_tokens_are_bytes_and_spaces_too() -> None:
    rust = Tokenizer(models.BPE(vocab={"▁the": 0, "<0xE2>": 1, "é": 2}, merges=[]))
    tokenizer = HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=rust))
    assert [tokenizer.token_bytes(i) for i in range(3)] == [b" the", b"\xe2", "é".encode()]
