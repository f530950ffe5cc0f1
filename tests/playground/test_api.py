"""Asking, following and stopping answers over HTTP: they go on without their page."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import AsyncClient, Client, override_settings

from inference.core.config import Config
from inference.core.errors import ContextLengthExceeded
from inference.core.requests import ChatRequest
from playground import running_answers
from playground.models import Message
from tests.api.openai.asking import error_of
from tests.fakes import GB, FakeRunner, card, serving
from tests.playground.asking import Page, idle

ASKED: dict[str, Any] = {"content": "Hi", "question": {"model": "tiny"}}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


@pytest.fixture
def closed() -> Iterator[None]:
    with override_settings(CONFIG=Config(api_key="secret")):
        yield


async def test_an_answer_is_followed_from_its_beginning_to_its_end(page: Page) -> None:
    with serving(FakeRunner(["Hel", "lo"], delay_s=0.01)):
        asked = await page.ask("Hi")
        events = [event async for event in page.events(asked["messages"][-1]["id"])]
    assert events[0]["type"] == events[-1]["type"] == "answer"
    assert "".join(event["text"] for event in events if event["type"] == "text") in ("Hello", "lo", "")
    assert events[-1]["answer"]["content"] == "Hello"
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant"]


async def test_an_answer_is_saved_with_how_it_was_made(page: Page) -> None:
    with serving(FakeRunner(["Hello"])):
        conversation, answer = await page.answered("Hi", question={"model": "tiny", "temperature": 0.5})
        await idle()
        whole = await page.open(conversation)
    assert whole["messages"][1].items() <= answer.items()
    assert answer["made"]["temperature"] == 0.5 and isinstance(answer["made"]["seed"], int)
    assert (answer["model"], answer["status"]) == ("tiny", "done")


async def test_what_made_an_answer_makes_it_again(page: Page) -> None:
    runner = FakeRunner(["Hello"])
    with serving(runner):
        conversation, answer = await page.answered()
        again = {"conversation": conversation, "parent": answer["parent"], "question": answer["made"]}
        _, second = await page.answered(None, **again)
    assert second["made"] == answer["made"] and second["parent"] == answer["parent"]
    first, last = runner.requests
    assert isinstance(first, ChatRequest) and isinstance(last, ChatRequest)
    assert first.sampling == last.sampling


async def test_the_model_reads_the_system_prompt_and_the_branch(page: Page) -> None:
    runner = FakeRunner(["Hello"])
    with serving(runner):
        conversation, answer = await page.answered("one", settings={"system": " Be brief. "})
        await page.answered("two", conversation=conversation, parent=answer["id"])
    first, request = runner.requests
    assert isinstance(first, ChatRequest) and isinstance(request, ChatRequest)
    assert [(m.role, m.content) for m in first.messages] == [("system", "Be brief."), ("user", "one")]
    assert [(m.role, m.content) for m in request.messages] == [
        ("user", "one"),
        ("assistant", "Hello"),
        ("user", "two"),
    ]


async def test_leaving_the_page_does_not_end_the_answer(page: Page) -> None:
    hold = asyncio.Event()
    runner = FakeRunner(["Hel", "lo"], hold=hold)
    with serving(runner):
        asked = await page.ask()
        await page.heard(asked["messages"][-1]["id"], "Hel")
        assert runner.running == 1
        again = await page.open(asked["conversation"])
        hold.set()
        await idle()
        whole = await page.open(asked["conversation"])
    assert (again["messages"][1]["status"], again["messages"][1]["content"]) == ("answering", "Hel")
    assert (whole["messages"][1]["status"], whole["messages"][1]["content"]) == ("done", "Hello")


async def test_two_pages_follow_one_answer(page: Page) -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(["Hel", "lo"], hold=hold)):
        asked = await page.ask()

        async def last() -> str:
            events = [event async for event in page.events(asked["messages"][-1]["id"])]
            return str(events[-1]["answer"]["content"])

        following = [asyncio.ensure_future(last()) for _ in range(2)]
        await asyncio.sleep(0.05)
        hold.set()
        assert await asyncio.gather(*following) == ["Hello", "Hello"]


async def test_an_answer_is_stopped_from_anywhere_and_keeps_what_it_said(page: Page) -> None:
    runner = FakeRunner(["Hel", "lo"], hold=asyncio.Event())
    with serving(runner):
        asked = await page.ask()
        answer = asked["messages"][-1]["id"]
        await page.heard(answer, "Hel")
        await page.told("POST", f"/chat/messages/{answer}/stop/")
        whole = await page.open(asked["conversation"])
    assert (whole["messages"][1]["status"], whole["messages"][1]["content"]) == ("stopped", "Hel")
    assert runner.cancelled == 1


async def test_stopping_what_has_ended_is_no_error(page: Page) -> None:
    with serving(FakeRunner()):
        _, answer = await page.answered()
        await idle()
        await page.told("POST", f"/chat/messages/{answer['id']}/stop/")


async def test_an_answer_whose_server_ended_was_stopped(page: Page) -> None:
    with serving(FakeRunner()):
        conversation, answer = await page.answered()
        await idle()
        await sync_to_async(Message.objects.filter(pk=answer["id"]).update)(status="answering")
        whole = await page.open(conversation)
        (told,) = [event async for event in page.events(answer["id"])]
    assert whole["messages"][1]["status"] == told["answer"]["status"] == "stopped"


async def test_a_refusal_by_the_model_is_the_answers(page: Page) -> None:
    with serving(FakeRunner(refuse_with=ContextLengthExceeded("Too long."))):
        _, answer = await page.answered()
    assert (answer["status"], answer["error"]) == ("failed", "Too long.")


async def test_a_defect_is_told_without_its_details(page: Page) -> None:
    class Broken(FakeRunner):
        def submit(self, request: Any, owner: str = "") -> Any:
            raise RuntimeError("/secret/path")

    with serving(Broken()):
        _, answer = await page.answered()
    assert answer["status"] == "failed" and "secret" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"question": {"model": "tiny", "temperature": 9}}, "temperature"),
        ({"question": {"model": "tiny", "n": 2}}, "n"),
        ({"question": {"model": "tiny", "seeds": 5}}, "seeds"),
        ({"question": {}}, "model"),
        ({"content": ""}, "content"),
        ({"content": None}, "content"),
        ({"conversation": "x"}, "conversation"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_question_is_refused_and_nothing_is_kept(
    page: Page, changes: dict[str, Any], param: str
) -> None:
    body = ASKED | changes
    with serving():
        response = await page.send("POST", "/chat/ask/", body)
        listed = await page.told("GET", "/chat/conversations/")
    assert (response.status_code, error_of(response)["param"]) == (400, param)
    assert listed["conversations"] == []


async def test_every_setting_reaches_the_model(page: Page) -> None:
    runner = FakeRunner()
    with serving(runner):
        await page.answered(question={"model": "tiny", "top_k": 5, "min_p": 0.1, "stop": ["END"]})
    (request,) = runner.requests
    assert isinstance(request, ChatRequest)
    assert (request.sampling.top_k, request.sampling.min_p, request.stop) == (5, 0.1, ("END",))


async def test_compared_models_answer_the_same_question_with_the_same_seed(page: Page) -> None:
    cards, runners = [card("tiny"), card("other")], [FakeRunner(["one"]), FakeRunner(["two"])]
    with serving(*runners, cards=cards):
        asked = await page.ask("Hi", models=["tiny", "other", "tiny"])
        await idle()
        whole = await page.open(asked["conversation"])
    _, *answers = whole["messages"]
    assert [(one["model"], one["status"]) for one in answers] == [("tiny", "done"), ("other", "done")]
    assert answers[0]["parent"] == answers[1]["parent"] == asked["messages"][0]["id"]
    assert answers[0]["made"]["seed"] == answers[1]["made"]["seed"]
    assert "so they answer at once" in asked["plan"]


async def test_an_answer_that_ends_while_the_database_is_busy_is_saved_all_the_same(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = running_answers.in_database, []

    async def busy_once(work: Any) -> Any:
        if not failures:
            failures.append("locked")
            raise OperationalError("database table is locked")
        return await real(work)

    monkeypatch.setattr(running_answers, "in_database", busy_once)
    with serving(FakeRunner(["Hello"])):
        conversation, _ = await page.answered("What?")
        await idle()
        whole = await page.open(conversation)
    assert failures and (whole["messages"][-1]["content"], whole["messages"][-1]["status"]) == (
        "Hello",
        "done",
    )


async def test_models_that_do_not_fit_together_answer_in_turn(page: Page) -> None:
    cards = [card("tiny", resident_bytes=6 * GB), card("other", resident_bytes=6 * GB)]
    with serving(FakeRunner(["one"]), FakeRunner(["two"]), cards=cards):
        asked = await page.ask("Hi", models=["tiny", "other"])
        await idle()
        whole = await page.open(asked["conversation"])
    assert "so they answer in turn" in asked["plan"]
    assert [one["content"] for one in whole["messages"][1:]] == ["one", "two"]


async def test_a_conversation_is_renamed_pinned_filed_and_deleted(page: Page) -> None:
    with serving(FakeRunner()):
        conversation, _ = await page.answered()
        address = f"/chat/conversations/{conversation}/"
        facts = {"title": "Mine", "folder": "Work", "is_pinned": True}
        assert facts.items() <= (await page.told("PATCH", address, facts)).items()
        await page.told("DELETE", address)
        assert (await page.send("GET", address)).status_code == 404
        await page.told("POST", f"{address}restore/")
        assert (await page.open(conversation))["title"] == "Mine"


async def test_a_conversation_is_taken_out_and_brought_in(page: Page) -> None:
    with serving(FakeRunner(["Hello"])):
        conversation, _ = await page.answered("What?")
        await idle()
        taken = await page.send("GET", f"/chat/conversations/{conversation}.json")
        readable = await page.send("GET", f"/chat/conversations/{conversation}.md")
        other = await page.send("GET", f"/chat/conversations/{conversation}.pdf")
        made = await page.told("POST", "/chat/import/", json.loads(taken.content))
        whole = await page.open(made["id"])
    assert "attachment" in taken["Content-Disposition"]
    assert readable.content.decode() == "# What?\n\n## You\n\nWhat?\n\n## tiny\n\nHello\n"
    assert [message["content"] for message in whole["messages"]] == ["What?", "Hello"]
    assert other.status_code == 404


@pytest.mark.parametrize("after", ["-1", "x", "9" * 12])
async def test_a_page_of_the_list_begins_at_a_number(page: Page, after: str) -> None:
    response = await page.send("GET", f"/chat/conversations/?after={after}")
    assert (response.status_code, error_of(response)["param"]) == (400, "after")


@pytest.mark.usefixtures("closed")
async def test_one_user_does_not_reach_what_is_anothers(page: Page, async_client: AsyncClient) -> None:
    ada, bob = [await sync_to_async(User.objects.create_user)(name) for name in ("ada", "bob")]
    with serving(FakeRunner(hold=asyncio.Event())):
        await async_client.aforce_login(ada)
        asked = await page.ask()
        conversation, answer = asked["conversation"], asked["messages"][-1]["id"]
        await async_client.aforce_login(bob)
        refused = [
            await page.send(method, address, body)
            for method, address, body in [
                ("GET", f"/chat/conversations/{conversation}/", None),
                ("GET", f"/chat/conversations/{conversation}.json", None),
                ("PATCH", f"/chat/conversations/{conversation}/", {"title": "mine"}),
                ("DELETE", f"/chat/conversations/{conversation}/", None),
                ("POST", f"/chat/conversations/{conversation}/restore/", None),
                ("GET", f"/chat/messages/{answer}/events/", None),
                ("POST", f"/chat/messages/{answer}/stop/", None),
                (
                    "POST",
                    "/chat/ask/",
                    {"conversation": conversation, "content": "x", "question": {"model": "tiny"}},
                ),
            ]
        ]
        assert {response.status_code for response in refused} == {404}
        await async_client.aforce_login(ada)
        await page.told("POST", f"/chat/messages/{answer}/stop/")


@pytest.mark.usefixtures("closed")
async def test_a_stranger_on_a_closed_site_gets_nothing(page: Page) -> None:
    for method, address in [("GET", "/chat/conversations/"), ("POST", "/chat/ask/")]:
        response = await page.send(method, address, None if method == "GET" else {})
        assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")


async def test_only_json_is_read(page: Page) -> None:
    response = await page.send("POST", "/chat/ask/", {}, content_type="text/plain")
    assert response.status_code == 415


def test_another_page_cannot_ask_in_a_visitors_name() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/chat/ask/", "{}", content_type="application/json")
    assert response.status_code == 403
