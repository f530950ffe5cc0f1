"""`context_management`: a conversation that has become too long is summarised before it is answered."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from django.test import AsyncClient

from inference.core.errors import ContextLengthExceeded
from inference.core.events import Accepted, Ended, Event, Finished, TextDelta, Tokenized, Usage
from inference.core.requests import ChatRequest, Request, TokenizeRequest
from tests.api.openai.asking import error_of
from tests.api.openai.open_response_events import check_stream
from tests.api.openai.open_response_items import check_item
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import NOW, post, refused
from tests.api.openai.test_compaction import TURNS
from tests.api.openai.test_conversations import begun, call
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
COMPACTED = [{"type": "compaction", "compact_threshold": 10}]
LAST = {"role": "user", "content": "four"}
HISTORY = [*TURNS, {"role": "assistant", "content": "done"}, LAST]


class CountingRunner(FakeRunner):
    """Every message has five tokens, a context twenty; a request for a summary is answered with one."""

    def __init__(self, summary: str | Exception = "Noon was asked for.") -> None:
        super().__init__()
        self.summary = summary

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        self.requests.append(request)
        yield Accepted(prompt_tokens=5, answer_limit=7)
        if isinstance(request, TokenizeRequest):
            assert isinstance(request.of, ChatRequest)
            tokens = tuple(range(5 * len(request.of.messages)))
            yield Tokenized(tokens=(tokens,), texts=("",), context_length=20)
        else:
            assert isinstance(request, ChatRequest)
            is_summary = "Write a summary" in request.messages[-1].content
            if is_summary and isinstance(self.summary, Exception):
                raise self.summary
            yield TextDelta(text=str(self.summary) if is_summary else "Five.")
            yield Ended(reason="stop")
        yield Finished(usage=Usage(prompt_tokens=9, completion_tokens=2))

    @property
    def chats(self) -> list[ChatRequest]:
        return [one for one in self.requests if isinstance(one, ChatRequest)]


async def answered(runner: FakeRunner, **body: Any) -> dict[str, Any]:
    with serving(runner):
        response = await post({"input": HISTORY, "context_management": COMPACTED} | body)
    assert response.status_code == 200, response.content
    received: dict[str, Any] = json.loads(response.content)
    return received


def texts_of(request: ChatRequest) -> list[tuple[str, str]]:
    return [(one.role, one.content.rpartition("\n\n")[2]) for one in request.messages]


SHORTER = [("user", "one"), ("user", "three"), ("user", "Noon was asked for."), ("user", "four")]


async def test_what_is_too_long_is_summarised_and_then_answered() -> None:
    runner = CountingRunner()
    received = await answered(runner, instructions="Be brief.", max_output_tokens=3, stop=["x"], tools=[NOW])
    summary, answer = runner.chats
    assert texts_of(summary)[:-1] == [
        *(
            ("system", "Be brief."),
            ("user", "one"),
            ("assistant", "two"),
            ("tool", "noon"),
            ("user", "three"),
        ),
        ("assistant", "done"),
    ]
    assert (summary.tools, summary.max_tokens, summary.stop) == ((), 64, ())
    assert texts_of(answer) == [("system", "Be brief."), *SHORTER]
    assert (len(answer.tools), answer.max_tokens, answer.stop) == (1, 3, ("x",))
    assert [item["type"] for item in received["output"]] == ["compaction", "message"]
    assert received["output"][0].keys() == {"id", "type", "encrypted_content"}
    check_item(received["output"][0])
    assert check_response(received).status == "completed" and received["usage"]["input_tokens"] == 9


@pytest.mark.parametrize(
    "body",
    [
        {"context_management": [{"type": "compaction", "compact_threshold": 35}]},
        {"context_management": []},
        {"context_management": None},
        {"input": "a long text"},
        {"input": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, LAST]},
    ],
)
async def test_within_reach_nothing_changes(body: dict[str, Any]) -> None:
    runner = CountingRunner()
    received = await answered(runner, **body)
    assert [item["type"] for item in received["output"]] == ["message"] and len(runner.chats) == 1


async def test_a_summary_has_half_of_the_threshold() -> None:
    history = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}] * 60
    runner = CountingRunner()
    threshold = [{"type": "compaction", "compact_threshold": 500}]
    await answered(runner, input=[*history, LAST], context_management=threshold)
    assert runner.chats[0].max_tokens == 250


@pytest.mark.parametrize("summary", ["", ContextLengthExceeded("Too long.", param="messages")])
async def test_without_a_summary_nothing_changes(summary: str | Exception) -> None:
    runner = CountingRunner(summary)
    received = await answered(runner)
    assert [item["type"] for item in received["output"]] == ["message"]
    assert [one.role for one in runner.chats[-1].messages] == [
        *("user", "assistant", "tool", "user", "assistant", "user")
    ]


async def test_by_default_three_quarters_of_the_context_are_its_reach() -> None:
    for more, is_longer in (([], False), ([LAST], True)):
        runner = CountingRunner()
        asked = [*more, *HISTORY[-3:]]
        received = await answered(runner, input=asked, context_management=[{"type": "compaction"}])
        assert (received["output"][0]["type"] == "compaction") is is_longer


async def test_the_last_results_are_kept_with_their_calls() -> None:
    runner = CountingRunner()
    history = [*TURNS[:2], {"role": "user", "content": "time?"}, *TURNS[2:4]]
    received = await answered(runner, input=history)
    *_, call_message, result = runner.chats[-1].messages
    assert [one.name for one in call_message.tool_calls] == ["now"] and result.content == "noon"
    assert texts_of(runner.chats[0])[-2][1] == "time?"
    after = [*history, *received["output"], LAST]
    again = CountingRunner()
    await answered(again, input=after, context_management=None)
    assert [one.role for one in again.chats[-1].messages][-5:] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


@pytest.mark.parametrize("keeps_all", [True, False])
async def test_the_item_stands_for_all_that_came_before_it(keeps_all: bool) -> None:
    received = await answered(CountingRunner(), input=[{"role": "system", "content": "Old."}, *HISTORY])
    runner = CountingRunner()
    before = [{"role": "system", "content": "New."}, *HISTORY] if keeps_all else []
    later = {"role": "user", "content": "six"}
    await answered(
        runner, input=[*before, *received["output"], later], context_management=None, instructions="Go."
    )
    (request,) = runner.chats
    systems = [("system", "Go."), ("system", "New." if keeps_all else "Old.")]
    assert texts_of(request) == [*systems, *SHORTER, ("assistant", "Five."), ("user", "six")]


async def test_a_summary_is_summarised_and_not_kept_as_the_users_message() -> None:
    received = await answered(CountingRunner())
    runner = CountingRunner("Both.")
    await answered(runner, input=[*received["output"], {"role": "user", "content": "six"}])
    assert texts_of(runner.chats[-1]) == [
        *(("user", "one"), ("user", "three"), ("user", "four"), ("user", "Both."), ("user", "six"))
    ]


async def test_a_stored_conversation_goes_on_from_it() -> None:
    conversation = await begun(items=HISTORY[:-1])
    first = await answered(CountingRunner(), input="four", conversation=conversation)
    runner = CountingRunner()
    await answered(runner, input="six", previous_response_id=first["id"], context_management=None)
    assert texts_of(runner.chats[-1])[-3:] == [("user", "four"), ("assistant", "Five."), ("user", "six")]
    runner = CountingRunner()
    await answered(runner, input="six", conversation=conversation, context_management=None)
    assert texts_of(runner.chats[-1]) == [*SHORTER, ("assistant", "Five."), ("user", "six")]
    items = (await call("get", f"/{conversation}/items?limit=5"))[1]["data"]
    assert [item["type"] for item in items[2:4]] == ["message", "compaction"]


async def test_a_stream_reports_it_before_the_answer() -> None:
    runner = CountingRunner()
    with serving(runner):
        response = await post({"input": HISTORY, "context_management": COMPACTED, "stream": True})
        text = b"".join([part async for part in response.streaming_content]).decode()
    events = check_stream(text)
    assert [event["type"].removeprefix("response.") for event in events] == [
        *("created", "in_progress", "output_item.added", "output_item.done", "output_item.added"),
        *("content_part.added", "output_text.delta", "output_text.done", "content_part.done"),
        *("output_item.done", "completed"),
    ]
    assert events[3]["item"] == events[-1]["response"]["output"][0] == events[2]["item"]
    response_id = events[-1]["response"]["id"]
    again = await AsyncClient().get(f"/v1/responses/{response_id}?stream=true")
    replayed = b"".join([part async for part in again.streaming_content]).decode()  # type: ignore[attr-defined]
    assert check_stream(replayed) == events


async def test_in_the_background_it_is_in_progress_once() -> None:
    with serving(CountingRunner()):
        body = {"input": HISTORY, "context_management": COMPACTED, "background": True}
        queued = json.loads((await post(body)).content)
        address = f"/v1/responses/{queued['id']}"
        while (received := json.loads((await AsyncClient().get(address)).content))["status"] != "completed":
            await asyncio.sleep(0.01)
        again = await AsyncClient().get(f"{address}?stream=true")
        kinds = [event["type"] for event in check_stream(await _text(again))]
    assert [item["type"] for item in received["output"]] == ["compaction", "message"]
    assert kinds.count("response.in_progress") == 1


async def _text(response: Any) -> str:
    return b"".join([part async for part in response.streaming_content]).decode()


async def test_headers_are_those_of_the_answer() -> None:
    with serving(CountingRunner()):
        response = await post({"input": HISTORY, "context_management": COMPACTED})
    assert response["x-mlx-max-tokens"] == "7"


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ([{"type": "truncation"}], "context_management.0.type"),
        ([{}], "context_management.0.type"),
        ([{"type": "compaction", "compact_threshold": 0}], "context_management.0.compact_threshold"),
        ({"type": "compaction"}, "context_management"),
        ([{"type": "compaction"}] * 9, "context_management"),
    ],
)
async def test_what_is_wrong_is_named(value: Any, param: str) -> None:
    assert await refused(context_management=value) == (400, param)


async def test_a_changed_item_is_refused() -> None:
    received = await answered(CountingRunner())
    item = received["output"][0]
    broken = item | {"encrypted_content": item["encrypted_content"][:-2] + "xx"}
    with serving(FakeRunner()):
        response = await post({"input": [broken, LAST]})
    assert (response.status_code, error_of(response)["param"]) == (400, "input.0.encrypted_content")
