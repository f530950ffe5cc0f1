"""Accounts share a model at /v1, whatever keys they use."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from inference.core.config import Config
from inference.serving import runtime
from tests.accounts.making import make_key
from tests.api.openai.asking import chat_body, post
from tests.fakes import FakeCatalog, FakeRunner, card, fake_pool

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def keys_of(name: str, number: int) -> list[str]:
    owner = User.objects.create_user(name)
    return [make_key(owner=owner, name=str(each))[1] for each in range(number)]


async def test_one_account_with_many_keys_keeps_another_waiting_for_one_place(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    anna, (bo,) = await keys_of("anna", 3), await keys_of("bo", 1)
    hold, catalog = asyncio.Event(), FakeCatalog(card())
    runner = FakeRunner(hold=hold)
    pool = fake_pool([runner], card(), max_leases=1)

    async def ask(secret: str, waiting: int) -> asyncio.Task[Any]:
        headers = {"Authorization": f"Bearer {secret}"}
        task = asyncio.create_task(post("/v1/chat/completions", chat_body(), headers=headers))
        async with asyncio.timeout(10):
            while pool.snapshot().waiting < waiting or not runner.owners:
                await asyncio.sleep(0.01)
        return task

    with runtime.use_pool(pool, models=catalog):  # type: ignore[arg-type]
        tasks = [await ask(secret, waiting) for waiting, secret in enumerate([*anna, bo])]
        hold.set()
        responses = await asyncio.gather(*tasks)
    assert {response.status_code for response in responses} == {200}
    asked = [owner.removeprefix("key:") for owner in runner.owners]
    assert [bo.startswith(owner) for owner in asked] == [False, True, False, False]
