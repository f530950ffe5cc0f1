"""Ollama's own client against the site on a real socket."""

import ollama
import pytest

from tests.api.openai.asking import HELLO
from tests.api.openai.site import Site, eventually


@pytest.fixture
def site(served_site: Site) -> Site:
    return served_site


@pytest.fixture
def client(site: Site) -> ollama.Client:
    return ollama.Client(host=f"{site.address}/ollama", timeout=20)


def test_it_lists_models_shows_one_and_lists_what_is_loaded(client: ollama.Client) -> None:
    assert "tiny:latest" in [model.model for model in client.list().models]
    shown = client.show("tiny:latest")
    assert shown.modelinfo and shown.modelinfo["llama.context_length"] == 8192
    client.chat("tiny", HELLO)
    assert "tiny:latest" in [model.model for model in client.ps().models]


def test_it_chats_whole_and_in_a_stream(client: ollama.Client) -> None:
    whole = client.chat("tiny", HELLO, options={"temperature": 0, "num_ctx": 4096})
    parts = list(client.chat("tiny", HELLO, stream=True))
    assert whole.message.content == "Hello there"
    assert "".join(part.message.content or "" for part in parts) == "Hello there"
    assert parts[-1].done and parts[-1].eval_count == whole.eval_count == 2
    assert whole.total_duration and whole.created_at and whole.done_reason == "stop"


def test_it_generates_whole_and_in_a_stream(client: ollama.Client) -> None:
    whole = client.generate("tiny", "Once", system="Be brief.", keep_alive="5m")
    parts = list(client.generate("tiny", "Once", stream=True))
    assert whole.response == "".join(part.response or "" for part in parts) == "Hello there"


def test_it_loads_a_model(client: ollama.Client) -> None:
    assert client.generate("tiny", "").done_reason == "load"
    assert client.chat("tiny", []).done_reason == "load"


def test_it_embeds(client: ollama.Client) -> None:
    assert client.embed("vectors", ["Once", "more"]).embeddings == [[0.0, 0.0]] * 2
    assert list(client.embeddings("vectors", "Once").embedding) == [0.0, 0.0]


def test_a_function_is_a_tool(client: ollama.Client) -> None:
    def now(zone: str) -> str:
        """Tell the time.

        Args:
            zone: Where.
        """
        return zone

    history = [
        *HELLO,
        ollama.Message(
            role="assistant",
            tool_calls=[
                ollama.Message.ToolCall(
                    function=ollama.Message.ToolCall.Function(name="now", arguments={"zone": "UTC"})
                )
            ],
        ),
        {"role": "tool", "content": "noon", "tool_name": "now"},
    ]
    assert client.chat("tiny", history, tools=[now], format="json", think=False).message.content


def test_errors_have_their_status_and_message(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="none") as missing:
        client.chat("none", HELLO)
    with pytest.raises(ollama.ResponseError, match="images") as refused:
        client.chat("tiny", [{"role": "user", "content": "x", "images": ["aGVsbG8="]}])
    with pytest.raises(ollama.ResponseError, match="manage.py pull") as managed:
        client.pull("llama3.2")
    assert (missing.value.status_code, refused.value.status_code, managed.value.status_code) == (
        404,
        400,
        400,
    )


def test_a_stream_that_breaks_raises(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="process ended"):
        list(client.chat("broken", HELLO, stream=True))


def test_leaving_a_stream_ends_the_request(client: ollama.Client, site: Site) -> None:
    stream = client.chat("slow", HELLO, stream=True)
    next(iter(stream))
    assert site.streams() == 1
    del stream
    assert eventually(lambda: site.streams() == 0)
