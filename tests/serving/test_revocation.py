"""Answers under way end with the key or the account that they were made for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from inference.core.errors import AuthenticationFailed, PermissionDenied
from inference.core.principal import Principal
from inference.models.api_key import ApiKey
from inference.serving import generation, revocation
from inference.serving.active_requests import STREAMS
from inference.storage.database_threads import in_database
from playground.models import Message
from tests.accounts.making import make_key
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page, idle
from tests.serving.test_active_requests import QUESTION, rest

# Keys are revoked in other threads than the loop's, and felt once that is committed.
pytestmark = pytest.mark.django_db(transaction=True)


async def under_way(*askers: Principal) -> list[asyncio.Task[None]]:
    """One answer of each, which would not end by itself."""
    reading = [asyncio.create_task(rest(generation.stream(QUESTION, asker))) for asker in askers]
    async with asyncio.timeout(10):
        while [stream.phase for stream in STREAMS.snapshot()] != ["decode"] * len(askers):
            await asyncio.sleep(0.01)
    return reading


def disable(key: ApiKey) -> None:
    key.owner.is_active = False
    key.owner.save()


ENDS: dict[str, Callable[[ApiKey], Any]] = {
    "revoked": lambda key: key.revoke(),
    "deleted": lambda key: key.delete(),
    "account of this API key was disabled": disable,
}


@pytest.mark.parametrize("end", ENDS)
async def test_the_answers_of_a_key_end_with_it_and_those_of_others_go_on(end: str) -> None:
    key, _ = await in_database(make_key)
    other, _ = await in_database(lambda: make_key(owner=User.objects.create_user("bob")))
    runner = FakeRunner(hold=asyncio.Event())
    with serving(runner):
        askers = [Principal(kind="key", name=one.prefix) for one in (key, other)]
        its, others, operators = await under_way(*askers, Principal(kind="key"))
        await in_database(lambda: ENDS[end](key))
        with pytest.raises(AuthenticationFailed, match=end):
            await its
        assert runner.cancelled == 1 and not others.done() and not operators.done()
        runner.hold.set()  # type: ignore[union-attr]
        await asyncio.gather(others, operators)


@pytest.mark.parametrize("end", ["disabled", "deleted"])
async def test_the_answers_of_an_account_end_with_it(end: str) -> None:
    ann = await in_database(lambda: User.objects.create_user("ann"))
    hold = asyncio.Event()
    with serving(FakeRunner(hold=hold)):
        hers, anybodys = await under_way(Principal(kind="user", name="ann"), Principal(kind="local"))
        ann.is_active = False
        await in_database(ann.save if end == "disabled" else User.objects.filter(pk=ann.pk).delete)
        with pytest.raises(PermissionDenied, match=f"The account ann was {end}"):
            await hers
        hold.set()
        await anybodys


async def test_what_another_process_revoked_is_felt_by_looking() -> None:
    key, _ = await in_database(make_key)
    with serving(FakeRunner(hold=asyncio.Event())):
        (its,) = await under_way(Principal(kind="key", name=key.prefix))
        await in_database(lambda: ApiKey.objects.update(is_revoked=True))  # without a signal
        await asyncio.sleep(0)
        assert not its.done()
        await in_database(revocation.enforce)
        with pytest.raises(AuthenticationFailed):
            await its


async def test_an_answer_of_the_studio_ends_with_its_account(async_client: Any) -> None:
    ann = await in_database(lambda: User.objects.create_user("ann"))
    await async_client.aforce_login(ann)
    page = Page(async_client)
    with serving(FakeRunner(["Hel", "lo"], hold=asyncio.Event())):
        asked = (await page.ask("Hi"))["messages"][-1]["id"]
        await page.heard(asked, "Hel")
        ann.is_active = False
        await in_database(ann.save)
        await idle()
    answer = await Message.objects.aget(pk=asked)
    assert "The account ann was disabled" in str(answer.error) and answer.content == "Hel"
