"""The official `openai` client against the real site and the real starter model."""

from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.e2e.site import STARTER, Site
from tests.nightly import nightly, of_each_kind

pytestmark = pytest.mark.e2e
FRANCE: Any = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def client(site: Site) -> OpenAI:
    return OpenAI(base_url=f"{site.url}/v1", api_key="not-needed", max_retries=0, timeout=120)


def test_it_lists_the_model(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [STARTER]
    assert client.models.retrieve(STARTER).object == "model"


def test_it_answers_whole(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=STARTER, messages=FRANCE, temperature=0, max_tokens=32)
    choice = answer.choices[0]
    assert "Paris" in (choice.message.content or "")
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    assert (
        answer.usage
        and answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    )


@nightly
def test_penalties_and_biases_do_what_they_say(client: OpenAI) -> None:
    def answer(**fields: Any) -> str:
        made = client.chat.completions.create(
            model=STARTER, messages=FRANCE, temperature=0, max_tokens=8, **fields
        )
        return made.choices[0].message.content or ""

    plain = answer()
    assert answer(frequency_penalty=2, presence_penalty=2) != answer(logit_bias={"260": 100}) != plain
    assert len(set(answer(logit_bias={"260": 100}).split())) == 1


@nightly
def test_log_probabilities_come_with_every_token(client: OpenAI) -> None:
    asked: dict[str, Any] = {"model": STARTER, "messages": FRANCE, "temperature": 0, "max_tokens": 12}
    whole = client.chat.completions.create(**asked, logprobs=True, top_logprobs=3).choices[0]
    assert whole.logprobs and whole.logprobs.content
    given = whole.logprobs.content
    assert "".join(token.token for token in given) == whole.message.content
    assert bytes(octet for token in given for octet in token.bytes or ()).decode() == whole.message.content
    assert all(t.top_logprobs[0].logprob == pytest.approx(t.logprob, abs=1e-3) for t in given)
    assert all(len(t.top_logprobs) == 3 and t.logprob <= 0 for t in given)
    chunks = client.chat.completions.create(**asked, logprobs=True, top_logprobs=3, stream=True)
    streamed = [t for c in chunks if c.choices and (lp := c.choices[0].logprobs) for t in lp.content or ()]
    assert [t.token for t in streamed] == [t.token for t in given]


def test_the_older_endpoint_has_the_offset_of_each_token(client: OpenAI) -> None:
    choice = client.completions.create(
        model=STARTER, prompt="The capital of France is", max_tokens=6, temperature=0, logprobs=2
    ).choices[0]
    given = choice.logprobs
    assert given and given.tokens and given.text_offset and given.token_logprobs and given.top_logprobs
    assert [
        choice.text[at : at + len(t)] for at, t in zip(given.text_offset, given.tokens, strict=True)
    ] == given.tokens
    assert len(given.token_logprobs) == len(given.top_logprobs) == 6


DRAWN = [(wanted, echo) for wanted in (0, 1, 5) for echo in (False, True)]


@pytest.mark.parametrize(("wanted", "echo"), of_each_kind(DRAWN, [(0, True), (5, False)]))
def test_the_older_endpoint_has_the_drawn_token_beside_the_likeliest(
    client: OpenAI, wanted: int, echo: bool
) -> None:
    asked: Any = {"model": STARTER, "prompt": "Once upon a", "max_tokens": 3, "temperature": 2, "seed": 3}
    whole = client.completions.create(**asked, logprobs=wanted, echo=echo).choices[0].logprobs
    chunks = client.completions.create(**asked, logprobs=wanted, echo=echo, stream=True)
    pieces = [chunk.choices[0].logprobs for chunk in chunks if chunk.choices[0].logprobs]
    assert whole and whole.tokens and whole.token_logprobs and whole.top_logprobs
    assert whole.top_logprobs == [top for piece in pieces for top in piece.top_logprobs or []]
    for token, value, top in zip(whole.tokens, whole.token_logprobs, whole.top_logprobs, strict=True):
        assert value is None or (top[token] == value and wanted <= len(top) <= wanted + 1)


def test_no_stop_token_leaks_into_the_text(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=STARTER, messages=FRANCE, temperature=0, max_tokens=64)
    assert "<|" not in (answer.choices[0].message.content or "")


def test_max_tokens_ends_with_length(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=STARTER, messages=FRANCE, max_completion_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage and answer.usage.completion_tokens == 3


def test_a_stop_string_cuts_the_text_at_any_token_boundary(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model=STARTER, messages=FRANCE, temperature=0, stop=["apital of F"]
    )
    assert answer.choices[0].message.content == "The c"
    assert answer.choices[0].finish_reason == "stop"


def test_a_completion_echoes_its_prompt(client: OpenAI) -> None:
    answer = client.completions.create(
        model=STARTER, prompt="The capital of France is", echo=True, temperature=0, max_tokens=2
    )
    assert answer.choices[0].text.startswith("The capital of France is Paris")


def test_several_streams_run_at_once(client: OpenAI) -> None:
    streams = [
        client.chat.completions.create(
            model=STARTER, messages=FRANCE, temperature=0, max_tokens=12, stream=True
        )
        for _ in range(3)
    ]
    texts = ["".join(c.choices[0].delta.content or "" for c in stream if c.choices) for stream in streams]
    assert texts[0].startswith("The capital of France")
    assert len(set(texts)) == 1


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"model": "nope"}, openai.NotFoundError, "model"),
        ({"temperature": 3}, openai.BadRequestError, "temperature"),
        ({"logit_bias": {"999999999": 1}}, openai.BadRequestError, "logit_bias"),
        ({"max_tokens": 0}, openai.BadRequestError, "max_tokens"),
    ],
)
def test_bad_input_is_refused_by_name(
    client: OpenAI, fields: dict[str, object], error: type[openai.APIStatusError], param: str
) -> None:
    with pytest.raises(error) as refusal:
        client.chat.completions.create(**({"model": STARTER, "messages": FRANCE} | fields))
    assert refusal.value.param == param


def test_a_prompt_beyond_the_context_is_refused_with_both_counts(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(
            model=STARTER, messages=[{"role": "user", "content": "one two " * 6000}]
        )
    assert refusal.value.code == "context_length_exceeded"
    assert "8192" in refusal.value.message
    assert "120" in refusal.value.message


def test_prompts_of_tokens_and_texts_are_answered_in_order(client: OpenAI) -> None:
    prompts = ["The capital of France is", "Once upon a time"]
    fields: dict[str, Any] = {"model": STARTER, "temperature": 0, "max_tokens": 6}
    together = client.completions.create(prompt=prompts, **fields)
    alone = [client.completions.create(prompt=prompt, **fields) for prompt in prompts]
    assert [choice.text for choice in together.choices] == [one.choices[0].text for one in alone]
    assert "Paris" in together.choices[0].text


def test_an_echo_is_scored_token_by_token(client: OpenAI) -> None:
    def likelihood(text: str) -> float:
        made = client.completions.create(model=STARTER, prompt=text, echo=True, logprobs=1, max_tokens=0)
        logprobs = made.choices[0].logprobs
        assert made.choices[0].text == text and logprobs and logprobs.token_logprobs
        assert "".join(logprobs.tokens or []) == text
        scores: list[Any] = list(logprobs.token_logprobs)
        return float(sum(score for score in scores if score is not None))

    true, false = (likelihood(f"The capital of France is {city}.") for city in ("Paris", "Quito"))
    assert true > false + 3
