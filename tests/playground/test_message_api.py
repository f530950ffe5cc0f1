"""Single messages over HTTP: continued in place, edited, deleted while they are answered, branched off."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from inference.core.errors import WorkerDied
from inference.core.requests import ChatRequest
from playground.models import Message
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = {"question": {"model": "tiny"}}


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


async def continued(page: Page, answer: int, **question: Any) -> dict[str, Any]:
    """The answer once its continuation has ended."""
    body = {"question": {"model": "tiny", **question}}
    begun = await page.json("POST", f"/chat/messages/{answer}/continue/", body)
    assert [one["id"] for one in begun["messages"]] == [answer]
    events = [event async for event in page.events(answer)]
    await idle()
    ended: dict[str, Any] = events[-1]["answer"]
    return ended


async def refused(page: Page, method: str, address: str, body: Any = None) -> str:
    response = await page.send(method, address, {} if body is None else body)
    assert response.status_code in {400, 404}, response.content
    return str(response.content)


async def test_a_cut_answer_goes_on_in_place_and_again(page: Page) -> None:
    runner = FakeRunner([" and", " on"], reason="length")
    with serving(runner):
        conversation, answer = await page.answered("Go")
        await idle()
        once = await continued(page, answer["id"])
        twice = await continued(page, answer["id"], max_tokens=9)
        whole = await page.open(conversation)
    assert (once["content"], twice["content"]) == (" and on and on", " and on and on and on")
    assert (twice["status"], twice["figures"]["tokens"], twice["figures"]["continued"]) == ("done", 6, 2)
    assert len(whole["messages"]) == 2 and whole["messages"][1]["content"] == twice["content"]
    request = runner.requests[-1]
    assert isinstance(request, ChatRequest) and request.continues and request.max_tokens == 9
    assert request.messages[-1].content == " and on and on"
    assert request.sampling.seed == answer["made"]["seed"] == twice["made"]["seed"]


async def test_a_stopped_answer_goes_on_and_keeps_its_figures(page: Page) -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(["Hel", "lo"], hold=hold)):
        asked = await page.ask()
        answer = asked["messages"][-1]["id"]
        await page.heard(answer, "Hel")
        await page.json("POST", f"/chat/messages/{answer}/stop/")
        stopped = (await page.open(asked["conversation"]))["messages"][1]
        hold.set()
        ended = await continued(page, answer)
    assert (stopped["figures"]["tokens"], stopped["figures"]["reason"]) == (1, "stopped")
    assert (ended["content"], ended["status"], ended["figures"]["tokens"]) == ("HelHello", "done", 3)


async def test_one_that_failed_half_way_goes_on_without_its_error(page: Page) -> None:
    with serving(FakeRunner(["Half"], fail_with=WorkerDied("It ended."))) as _:
        _, answer = await page.answered()
        await idle()
    with serving(FakeRunner([" more"])):
        ended = await continued(page, answer["id"])
    assert (answer["status"], answer["error"]) == ("failed", "It ended.")
    assert (ended["status"], ended["error"], ended["content"]) == ("done", "", "Half more")


async def test_one_whose_server_ended_goes_on(page: Page) -> None:
    with serving(FakeRunner(["more"])):
        _, answer = await page.answered()
        await idle()
        await sync_to_async(Message.objects.filter(pk=answer["id"]).update)(status="answering", figures=None)
        ended = await continued(page, answer["id"])
    assert (ended["status"], ended["content"]) == ("done", "moremore")


async def test_what_cannot_go_on_says_why_and_stays_as_it_is(page: Page) -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(["Hel", "lo"], hold=hold)):
        asked = await page.ask()
        question, answer = (one["id"] for one in asked["messages"])
        await page.heard(answer, "Hel")
        address = f"/chat/messages/{answer}"
        assert "still being generated" in await refused(page, "POST", f"{address}/continue/", QUESTION)
        assert "still being generated" in await refused(page, "PATCH", f"{address}/", {"content": "x"})
        hold.set()
        await idle()
        assert "not an answer" in await refused(
            page, "POST", f"/chat/messages/{question}/continue/", QUESTION
        )
        made = {**(await page.open(asked["conversation"]))["messages"][1]["made"], "model": "gone"}
        await sync_to_async(Message.objects.filter(pk=answer).update)(made=made)
        assert "not on this server" in await refused(page, "POST", f"{address}/continue/", QUESTION)
        whole = await page.open(asked["conversation"])
    assert (whole["messages"][1]["content"], whole["messages"][1]["status"]) == ("Hello", "done")


async def test_two_windows_continue_an_answer_once(page: Page) -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(["a", "b"])):
        _, answer = await page.answered()
        await idle()
    with serving(FakeRunner(["c", "d"], hold=hold)):
        address = f"/chat/messages/{answer['id']}/continue/"
        sent = await asyncio.gather(*(page.send("POST", address, QUESTION) for _ in range(2)))
        hold.set()
        await idle()
        ended = [event async for event in page.events(answer["id"])][-1]["answer"]
    assert sorted(one.status_code for one in sent) == [200, 400]
    assert ended["content"] == "abcd"


async def test_a_continuation_is_taken_back(page: Page) -> None:
    with serving(FakeRunner(["Half", " a"], reason="length")):
        conversation, answer = await page.answered("Go")
        await idle()
    hold = asyncio.Event()
    with serving(FakeRunner([" long", " way"], hold=hold)):
        address = f"/chat/messages/{answer['id']}/"
        begun = await page.json("POST", f"{address}continue/", QUESTION)
        assert "still being generated" in await refused(
            page, "PATCH", address, {"original": begun["original"]}
        )
        hold.set()
        await idle()
        assert (await page.open(conversation))["messages"][1]["content"] == "Half a long way"
        (now,) = (await page.json("PATCH", address, {"original": begun["original"]}))["messages"]
        whole = await page.open(conversation)
        assert "any more" in await refused(page, "PATCH", address, {"original": begun["original"]})
    assert now["content"] == "Half a" == whole["messages"][1]["content"]
    assert now["figures"] == answer["figures"] and len(whole["messages"]) == 2


async def test_deleting_a_message_stops_what_is_answered_below_it(page: Page) -> None:
    runner = FakeRunner(["Hel", "lo"], hold=asyncio.Event())
    with serving(runner):
        asked = await page.ask()
        question, answer = (one["id"] for one in asked["messages"])
        await page.heard(answer, "Hel")
        deleted = await page.json("DELETE", f"/chat/messages/{question}/")
        await idle()
        empty = await page.open(asked["conversation"])
        restored = await page.json("POST", f"/chat/messages/{question}/restore/", {"tip": answer})
        whole = await page.open(asked["conversation"])
    assert (deleted, runner.cancelled) == ({"deleted": [question, answer], "tip": None}, 1)
    assert (empty["messages"], empty["tip"]) == ([], None)
    assert [one["status"] for one in restored["messages"]] == ["done", "stopped"]
    assert (whole["tip"], whole["messages"][1]["content"]) == (answer, "Hel")


async def test_an_edit_is_saved_and_undone(page: Page) -> None:
    with serving(FakeRunner()):
        conversation, answer = await page.answered()
        await idle()
        address = f"/chat/messages/{answer['id']}/"
        edited = await page.json("PATCH", address, {"content": "Better"})
        assert [one["content"] for one in edited["messages"]] == ["Better", "Hello there"]
        await page.answered("And?", conversation=conversation, parent=answer["id"])
        undone = await page.json("PATCH", address, {"original": edited["original"]})
        assert (undone["messages"][0]["content"], undone["deleted"]) == ("Hello there", [edited["original"]])
        for body in (
            {},
            {"content": ""},
            {"content": "x", "original": 1},
            {"content": "x", "status": "done"},
        ):
            await refused(page, "PATCH", address, body)


async def test_a_branch_is_taken_off_while_an_answer_runs(page: Page) -> None:
    hold = asyncio.Event()
    runner = FakeRunner(["Hel", "lo"])
    with serving(runner):
        conversation, first = await page.answered("One")
        await idle()
        runner.hold = hold
        asked = await page.ask(
            "Two", conversation=conversation, parent=first["id"], settings={"system": "Short."}
        )
        running = asked["messages"][-1]["id"]
        await page.heard(running, "Hel")
        middle = await page.json("POST", f"/chat/messages/{first['id']}/branch/", {})
        whole = await page.json("POST", f"/chat/messages/{running}/branch/", {})
        hold.set()
        await idle()
        copies = [await page.open(one["id"]) for one in (middle, whole)]
        origin = await page.open(conversation)
    assert [len(one["messages"]) for one in copies] == [2, 4]
    assert [one["settings"] for one in copies] == [{"system": "Short."}] * 2
    last = copies[1]["messages"][-1]
    assert (last["content"], last["status"]) == ("Hel", "stopped")
    assert origin["messages"][-1]["status"] == "done"
    assert {one["branched_from"]["id"] for one in copies} == {conversation}


async def test_a_shared_chat_is_copied_with_its_files_while_it_is_shared(page: Page) -> None:
    with serving(FakeRunner()):
        conversation, _ = await page.answered("One")
        await idle()
        share = f"/chat/conversations/{conversation}/share/"
        copy = f"/chat/shared/{(await page.json('POST', share))['share']}/copy/"
        made = await page.open((await page.json("POST", copy))["id"])
        await page.json("DELETE", share)
        assert (await page.send("POST", copy)).status_code == 404
        assert (await page.send("GET", copy)).status_code == 405
    assert [one["content"] for one in made["messages"]] == ["One", "Hello there"]
    assert (made["share"], made["branched_from"], made["settings"]) == (None, None, {})


async def test_a_file_has_edits_and_no_deleted_messages(page: Page) -> None:
    with serving(FakeRunner()):
        conversation, answer = await page.answered()
        await page.answered("And?", conversation=conversation, parent=answer["id"])
        await idle()
        await page.json("PATCH", f"/chat/messages/{answer['id']}/", {"content": "Better"})
        last = (await page.open(conversation))["tip"]
        await page.json("DELETE", f"/chat/messages/{last}/")
        exported = await page.send("GET", f"/chat/conversations/{conversation}.json")
        imported = await page.json("POST", "/chat/import/", json.loads(exported.content))
        copy = (await page.open(imported["id"]))["messages"]
        origin = (await page.open(conversation))["messages"]
    assert [one["content"] for one in copy] == ["Hi", "Better", "And?", "Hello there"]
    assert [one["edited_at"] for one in copy] == [one["edited_at"] for one in origin]
    assert copy[1]["edited_at"] and not copy[3]["edited_at"]


async def test_one_message_is_deleted_unless_an_answer_is_written_below_it(page: Page) -> None:
    hold = asyncio.Event()
    runner = FakeRunner(["Hel", "lo"])
    with serving(runner):
        conversation, first = await page.answered("One")
        runner.hold = hold
        asked = await page.ask("Two", conversation=conversation, parent=first["id"])
        question, running = (one["id"] for one in asked["messages"])
        await page.heard(running, "Hel")
        for message in (first["id"], question, running):
            text = await refused(page, "DELETE", f"/chat/messages/{message}/?alone")
            assert "An answer is being written in this branch" in text
        hold.set()
        await idle()
        deleted = await page.json("DELETE", f"/chat/messages/{question}/?alone")
        assert (deleted["moved"], deleted["parent"]) == ([running], first["id"])
        again = {"conversation": conversation, "parent": first["id"], "question": {"model": "tiny"}}
        assert "question of this answer" in await refused(page, "POST", "/chat/ask/", again)
        whole = await page.open(conversation)
        assert [one["parent"] for one in whole["messages"]] == [None, whole["messages"][0]["id"], first["id"]]
        await page.json("POST", f"/chat/messages/{question}/restore/", {})
        assert len((await page.open(conversation))["messages"]) == 4
