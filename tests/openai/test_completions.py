import json

from inference.requests import CompletionRequest
from tests.fakes import FakeRunner, serving
from tests.openai.asking import chunks, complete, error_of, lines


async def test_it_continues_a_prompt() -> None:
    with serving(FakeRunner((" upon", " a time"), reason="length")):
        answer = json.loads((await complete()).content)
    assert answer["object"] == "text_completion"
    assert answer["choices"] == [
        {"index": 0, "text": " upon a time", "logprobs": None, "finish_reason": "length"}
    ]


async def test_the_model_is_asked_to_echo() -> None:
    runner = FakeRunner()
    with serving(runner):
        await complete(echo=True)
    request = runner.requests[0]
    assert isinstance(request, CompletionRequest) and request.echo


async def test_streamed_and_whole_text_are_the_same() -> None:
    with serving(FakeRunner((" upon", " a time"))):
        received = await chunks(await complete(stream=True))
    assert "".join(chunk["choices"][0]["text"] for chunk in received) == " upon a time"
    assert [chunk["choices"][0]["finish_reason"] for chunk in received] == [None, None, "stop"]


async def test_the_stream_opens_at_once_and_closes_with_done() -> None:
    with serving(FakeRunner()):
        frames = await lines(await complete(stream=True))
    assert (frames[0], frames[-1]) == (": open", "data: [DONE]")


async def test_usage_is_streamed_when_asked() -> None:
    with serving(FakeRunner()):
        received = await chunks(await complete(stream=True, stream_options={"include_usage": True}))
    assert (received[-1]["choices"], received[-1]["usage"]["completion_tokens"]) == ([], 2)


async def test_a_refused_field_is_named() -> None:
    response = await complete(best_of=3)
    assert (response.status_code, error_of(response)["param"]) == (400, "best_of")
