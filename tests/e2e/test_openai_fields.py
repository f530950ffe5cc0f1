"""Streams, seeds, several answers and cached prompts: the official `openai` client and a tiny model.

They need no language of a model, and a token of the starter model takes a tenth of a second of a processor.
"""

import time
from typing import Any

import httpx
import pytest
from openai import OpenAI

from tests.e2e.site import Site

pytestmark = pytest.mark.e2e
MODEL = "tiny"
FRANCE: Any = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="module")
def client(tiny_site: Site) -> OpenAI:
    return OpenAI(base_url=f"{tiny_site.url}/v1", api_key="not-needed", max_retries=0, timeout=120)


def test_a_stream_is_the_same_answer_in_pieces(client: OpenAI) -> None:
    whole = client.chat.completions.create(model=MODEL, messages=FRANCE, temperature=0, max_tokens=32)
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=FRANCE,
            temperature=0,
            max_tokens=32,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 3
    (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
    assert whole.usage and usage.completion_tokens == whole.usage.completion_tokens
    assert usage.prompt_tokens == whole.usage.prompt_tokens


def test_the_second_turn_of_a_chat_is_mostly_cached(client: OpenAI) -> None:
    story = "Once there was a fox who counted the stars every night. " * 12
    messages: list[Any] = [{"role": "user", "content": f"{story} What did the fox count?"}]
    first = client.chat.completions.create(model=MODEL, messages=messages, temperature=0, max_tokens=12)
    messages.append({"role": "assistant", "content": first.choices[0].message.content})
    messages.append({"role": "user", "content": "And why?"})
    second = client.chat.completions.create(model=MODEL, messages=messages, temperature=0, max_tokens=4)
    assert first.usage and second.usage and second.usage.prompt_tokens_details
    assert (second.usage.prompt_tokens_details.cached_tokens or 0) >= first.usage.prompt_tokens - 1


def test_a_seed_repeats_the_answer(client: OpenAI) -> None:
    def generate() -> str | None:
        answer = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Tell a story."}], seed=11, max_tokens=16
        )
        text: str | None = answer.choices[0].message.content
        return text

    assert generate() == generate()


def test_a_stream_that_is_closed_frees_the_model(client: OpenAI, tiny_site: Site) -> None:
    stream = client.chat.completions.create(model=MODEL, messages=FRANCE, max_tokens=2000, stream=True)
    next(iter(stream))
    stream.close()
    deadline = time.monotonic() + 10
    while "busy" in (states := worker_states(tiny_site)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "busy" not in states


def worker_states(site: Site) -> list[str]:
    return [worker["state"] for worker in httpx.get(f"{site.url}/health").json()["workers"]]


def test_several_answers_differ_and_the_first_is_as_if_alone(client: OpenAI) -> None:
    fields: dict[str, Any] = {"temperature": 1.0, "seed": 11, "max_tokens": 16}
    three = client.chat.completions.create(model=MODEL, messages=FRANCE, n=3, **fields)
    alone = client.chat.completions.create(model=MODEL, messages=FRANCE, **fields)
    texts = [choice.message.content for choice in three.choices]
    assert [choice.index for choice in three.choices] == [0, 1, 2]
    assert texts[0] == alone.choices[0].message.content
    assert len(set(texts)) > 1
    assert three.usage and alone.usage and three.usage.prompt_tokens == alone.usage.prompt_tokens


def test_several_streamed_answers_are_the_whole_ones(client: OpenAI) -> None:
    fields: dict[str, Any] = {"temperature": 1.0, "seed": 11, "max_tokens": 16, "n": 2}
    whole = client.chat.completions.create(model=MODEL, messages=FRANCE, **fields)
    texts, reasons = ["", ""], ["", ""]
    for chunk in client.chat.completions.create(model=MODEL, messages=FRANCE, stream=True, **fields):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            reasons[choice.index] = choice.finish_reason or reasons[choice.index]
    assert texts == [choice.message.content for choice in whole.choices]
    assert reasons == [choice.finish_reason for choice in whole.choices]
