"""From a request to the sequences that answer it."""

from collections.abc import Sequence
from typing import Any

import pytest

from inference.core.errors import ContextLengthExceeded, InvalidRequest, InvalidValue, UnsupportedField
from inference.core.protocol import Load
from inference.core.requests import ChatRequest, CompletionRequest, Message, Sampling, Tool, ToolCall
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.text.prompts import Prompts
from tests.adapters.family_models import make
from tests.tiny import CHATML, SPECIAL

pytestmark = pytest.mark.mlx
FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>")


def prompts(special: Sequence[str] = SPECIAL, context: int = 100) -> tuple[Prompts, Any]:
    adapter, tokenizer = make(CHATML, special)
    model = LoadedModel(
        model=None,  # nothing is computed here
        tokenizer=tokenizer,
        adapter=adapter,
        own_sampling=Sampling(),
        context_length=context,
        vocab_size=tokenizer.size,
        device="cpu",
        seconds=0.0,
    )
    return Prompts(model, Load(model="m", path="", max_output_tokens=64)), tokenizer


def completion(*texts: Any, **fields: Any) -> CompletionRequest:
    return CompletionRequest(model="m", prompts=texts, **({"max_tokens": 5} | fields))


def chat(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=messages or (Message(role="user", content="hi"),), **fields)


def test_each_prompt_has_its_sequences_and_answers_in_order() -> None:
    asked = prompts()[0].prepare(completion("a", "b", n=2), "me")
    assert [len(one.sequences) for one in asked] == [2, 2]
    assert [answer.index for one in asked for answer in one.answers] == [0, 1, 2, 3]
    assert len({sequence.id for one in asked for sequence in one.sequences}) == 4


def test_a_gap_is_filled_between_prompt_and_suffix() -> None:
    made, tokenizer = prompts((*SPECIAL, *FIM))
    (asked,) = made.prepare(completion("def ", suffix=": pass"), "me")
    marks = [tokenizer.id_of(token) for token in FIM]
    assert [token for token in asked.prompt if token in marks] == marks[:3]
    assert marks[3] in asked.sequences[0].stop_ids


def test_a_model_without_the_marks_fills_no_gap() -> None:
    with pytest.raises(UnsupportedField) as caught:
        prompts()[0].prepare(completion("def ", suffix=": pass"), "me")
    assert caught.value.param == "suffix"


def test_an_answer_that_ignores_its_end_has_no_stop_tokens() -> None:
    (plain,), (endless,) = (
        prompts()[0].prepare(completion("a", ignores_end=ignores), "me") for ignores in (False, True)
    )
    assert plain.sequences[0].stop_ids and not endless.sequences[0].stop_ids


BIG = "x" * 5000
TOO_LARGE: dict[str, Any] = {
    "prompt": completion(BIG),
    "suffix": completion("a", suffix=BIG),
    "tokens": completion((1,) * 5000),
    "content": chat(Message(role="user", content=BIG)),
    "reasoning": chat(Message(role="assistant", content="", reasoning=BIG)),
    "schema of a tool": chat(tools=(Tool(name="a", parameters=BIG),)),
    "arguments": chat(
        Message(role="assistant", content="", tool_calls=(ToolCall(id="1", name="a", arguments=BIG),))
    ),
}


@pytest.mark.parametrize("request_", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_is_far_too_large_is_refused_before_it_is_tokenised(request_: Any) -> None:
    with pytest.raises(ContextLengthExceeded, match="at least") as caught:
        prompts()[0].prepare(request_, "me")
    assert caught.value.lengths and caught.value.lengths[0] > caught.value.lengths[1]


@pytest.mark.parametrize(("tokens", "wanted"), [(50, 1), (60, 1), (60, None), (51, 0)])
def test_a_refusal_has_the_lengths_that_do_not_fit(tokens: int, wanted: int | None) -> None:
    with pytest.raises(ContextLengthExceeded, match="maximum context length is 50 tokens") as caught:
        prompts(context=50)[0].prepare(completion((1,) * tokens, max_tokens=wanted), "me")
    assert caught.value.lengths == (tokens, 50)
    assert "prompt is too long" in caught.value.message  # LangChain looks for it


@pytest.mark.parametrize(("wanted", "made"), [(5, 5), (32_000, 40), (0, 0)])
def test_a_ceiling_beyond_the_context_is_lowered_to_it(wanted: int, made: int) -> None:
    (asked,) = prompts(context=50)[0].prepare(completion((1,) * 10, max_tokens=wanted, echo=True), "me")
    assert asked.sequences[0].max_tokens == made


def test_the_answer_has_what_the_context_leaves() -> None:
    (asked,) = prompts(context=50)[0].prepare(chat(), "me")
    assert asked.sequences[0].max_tokens == 50 - len(asked.prompt)


@pytest.mark.parametrize("text", ["", "<|begin_of_text|>"])
def test_a_prompt_of_nothing_is_refused_or_begins_a_text(text: str) -> None:
    try:
        (asked,) = prompts()[0].prepare(completion(text), "me")
    except InvalidRequest as error:
        assert isinstance(error, InvalidValue) and error.param == "prompt"
    else:
        assert len(asked.prompt) == 1
