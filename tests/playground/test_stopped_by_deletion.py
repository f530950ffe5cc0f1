"""An answer ends with its conversation, its message or its account, and gives its lease back."""

import asyncio
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from inference.storage.database_threads import in_database
from playground import purge, running_answers
from playground.models import Conversation, Message
from playground.running_answers import RUNNING_ANSWERS
from tests.fakes import FakeRunner, card, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_deleted_conversation_stops_and_comes_back_with_its_text(async_client: AsyncClient) -> None:
    page, runner = Page(async_client), FakeRunner(["Hel", "lo"], hold=asyncio.Event())
    other = FakeRunner(["Hel", "lo"], hold=asyncio.Event())
    with serving(other, runner, cards=[card("tiny"), card("other")]) as pool:
        kept = await page.ask("kept", question={"model": "other"})
        asked = await page.ask()
        await page.heard(asked["messages"][-1]["id"], "Hel")
        await page.json("DELETE", f"/chat/conversations/{asked['conversation']}/")
        async with asyncio.timeout(10):
            while runner.running:
                await asyncio.sleep(0.01)
        assert (runner.cancelled, other.cancelled) == (1, 0)
        await page.json("POST", f"/chat/conversations/{asked['conversation']}/restore/")
        whole = await page.open(asked["conversation"])
        assert (whole["messages"][-1]["status"], whole["messages"][-1]["content"]) == ("stopped", "Hel")
        await page.json("DELETE", f"/chat/conversations/{kept['conversation']}/")
        await idle()
        assert sum(model.leases for model in pool.snapshot().models) == 0


def purged() -> None:
    Conversation.objects.update(deleted_at=timezone.now() - 2 * purge.KEPT_DELETED)
    purge.purge()


@pytest.mark.parametrize(
    "remove",
    [purged, lambda: Message.objects.filter(role="assistant").delete(), lambda: User.objects.all().delete()],
    ids=["purged", "message deleted", "account deleted"],
)
async def test_an_answer_whose_row_is_gone_stops(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch, remove: Callable[[], object]
) -> None:
    monkeypatch.setattr(running_answers, "_SAVE_EVERY_S", 0.05)
    ann = await in_database(lambda: User.objects.create_user("ann"))
    await async_client.aforce_login(ann)
    page, runner = Page(async_client), FakeRunner(["Hel"] * 2000, delay_s=0.02)
    with serving(runner):
        await page.ask()
        async with asyncio.timeout(10):
            while not runner.running:
                await asyncio.sleep(0.01)
            await in_database(remove)
            while RUNNING_ANSWERS.count:
                await asyncio.sleep(0.01)
    assert runner.running == 0
