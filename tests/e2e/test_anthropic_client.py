"""The official `anthropic` client against the real site and the real starter model."""

import base64
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.e2e.site import STARTER, Site
from tests.nightly import nightly, of_each_kind
from tests.tiny_vision import picture

if TYPE_CHECKING:
    from anthropic import Anthropic  # it takes seconds, in every process that collects the tests

pytestmark = pytest.mark.e2e
FRANCE: Any = [{"role": "user", "content": "What is the capital of France?"}]
CHOICES: Any = [{"type": "any"}, {"type": "tool", "name": "get_weather"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"name": "get_weather", "description": "Tells the weather.", "input_schema": CITY}


@pytest.fixture(scope="module")
def client(site: Site) -> "Anthropic":
    from anthropic import Anthropic

    return Anthropic(base_url=site.url, api_key="not-needed", max_retries=0, timeout=300)


def asking(**fields: Any) -> dict[str, Any]:
    # The client has no `temperature` since 2.0; the API has.
    greedy = {"extra_body": {"temperature": 0}}
    return {"model": STARTER, "max_tokens": 32, "messages": FRANCE} | greedy | fields


def answer(client: "Anthropic", **fields: Any) -> Any:
    return client.messages.create(**asking(**fields))


def streamed(client: "Anthropic", **fields: Any) -> tuple[list[str], Any]:
    """The types of a stream's events, and the message that the client makes of them."""
    with client.messages.stream(**asking(**fields)) as stream:
        return [event.type for event in stream], stream.get_final_message()


def test_it_lists_the_models(client: "Anthropic") -> None:
    assert [model.id for model in client.models.list(limit=1)] == [STARTER]
    model = client.models.retrieve(STARTER)
    assert (model.type, model.display_name, model.max_input_tokens) == ("model", STARTER, 8192)


def test_it_answers_whole(client: "Anthropic") -> None:
    made = answer(client)
    (block,) = made.content
    assert "Paris" in block.text
    assert (made.stop_reason, made.role, made.model) == ("end_turn", "assistant", STARTER)
    assert made._request_id.startswith("req_")


@nightly
def test_a_stream_is_the_same_message(client: "Anthropic") -> None:
    whole = answer(client)
    types, made = streamed(client)
    assert (types[0], types[-1]) == ("message_start", "message_stop")
    assert [block.text for block in made.content] == [block.text for block in whole.content]
    assert made.stop_reason == whole.stop_reason
    assert made.usage.output_tokens == whole.usage.output_tokens


@nightly
def test_what_was_cached_is_counted_apart(client: "Anthropic") -> None:
    story = [{"role": "user", "content": "Once a fox counted the stars. " * 20 + "What did it count?"}]
    counted = client.messages.count_tokens(model=STARTER, messages=story)
    for made in (answer(client, messages=story), answer(client, messages=story)):
        usage = made.usage
        assert usage.input_tokens + usage.cache_read_input_tokens == counted.input_tokens
    assert usage.cache_read_input_tokens > usage.input_tokens


@nightly
def test_max_tokens_end_the_answer(client: "Anthropic") -> None:
    made = answer(client, max_tokens=3)
    assert (made.stop_reason, made.usage.output_tokens) == ("max_tokens", 3)


@nightly
def test_a_length_beyond_the_context_is_taken(client: "Anthropic") -> None:
    raw = client.messages.with_raw_response.create(**asking(max_tokens=32_000))
    assert raw.parse().stop_reason == "end_turn"
    assert int(raw.headers["x-mlx-max-tokens"]) < 8192


@nightly
def test_a_stop_sequence_is_named(client: "Anthropic") -> None:
    for made in (
        answer(client, stop_sequences=["Rome", "Paris"]),
        streamed(client, stop_sequences=["Paris"])[1],
    ):
        assert (made.stop_reason, made.stop_sequence) == ("stop_sequence", "Paris")
        assert "Paris" not in made.content[0].text


@pytest.mark.parametrize("choice", of_each_kind(CHOICES, [CHOICES[1]]))
def test_a_required_call_is_made_and_its_result_answered(client: "Anthropic", choice: Any) -> None:
    made = answer(client, tools=[WEATHER], tool_choice=choice, max_tokens=64)
    _, same = streamed(client, tools=[WEATHER], tool_choice=choice, max_tokens=64)
    (call,) = made.content
    assert (made.stop_reason, call.type, call.name) == ("tool_use", "tool_use", "get_weather")
    assert isinstance(call.input["city"], str) and call.id.startswith("toolu_")
    assert same.content[0].input == call.input
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny, 21 degrees."}
    turns = [*FRANCE, {"role": "assistant", "content": made.content}, {"role": "user", "content": [result]}]
    assert answer(client, messages=turns, tools=[WEATHER]).content


def test_an_answer_follows_its_schema(client: "Anthropic") -> None:
    form = {"format": {"type": "json_schema", "schema": CITY | {"additionalProperties": False}}}
    made = answer(client, output_config=form, max_tokens=64)
    assert made.content[0].text.startswith('{"city"')


@nightly
def test_the_beta_client_is_answered(client: "Anthropic") -> None:
    made = client.beta.messages.create(
        model=STARTER,
        max_tokens=8,
        messages=FRANCE,
        betas=["context-management-2025-06-27"],
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
    )
    assert made.context_management and made.context_management.applied_edits == []


def test_its_errors_are_the_clients_own(client: "Anthropic") -> None:
    import anthropic

    with pytest.raises(anthropic.NotFoundError, match="no model"):
        answer(client, model="none")
    with pytest.raises(
        anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > 8192 maximum"
    ) as caught:
        answer(client, messages=[{"role": "user", "content": "word " * 9000}])
    assert caught.value.request_id and caught.value.type == "invalid_request_error"
    with pytest.raises(anthropic.BadRequestError, match="text only"):
        data = base64.b64encode(picture(Image.new("RGB", (8, 8))).data).decode()
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
        answer(client, messages=[{"role": "user", "content": [image]}])
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.list()
