import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient

from inference.core.config import Config
from tests.accounts.making import make_key
from tests.api.openai.asking import chat, chat_body, error_of, post
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)


async def read(client: AsyncClient | None = None, **headers: Any) -> Any:
    return await (client or AsyncClient()).get("/metrics", headers=headers)


async def sample(name: str) -> float:
    """One sample of the page, by its name with its labels; 0 where there is none."""
    page = (await read()).content.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_an_open_site_shows_them_to_all_programs_of_the_machine() -> None:
    with serving(FakeRunner()):
        response = await read()
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain") and response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("scopes", "status"),
    [({"can_read_metrics": True, "can_chat": False, "can_embed": False}, 200), ({"can_manage": True}, 403)],
)
async def test_a_key_needs_its_own_scope(settings: Any, scopes: dict[str, bool], status: int) -> None:
    settings.CONFIG = Config(api_key="sesame")
    _, secret = await sync_to_async(make_key)(**scopes)
    with serving(FakeRunner()):
        assert (await read(Authorization=f"Bearer {secret}")).status_code == status


async def test_the_scope_opens_nothing_else(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    _, secret = await sync_to_async(make_key)(can_read_metrics=True, can_chat=False, can_embed=False)
    headers: Any = {"Authorization": f"Bearer {secret}"}
    with serving(FakeRunner()):
        chats = await post("/v1/chat/completions", chat_body(), headers=headers)
        pool = await AsyncClient().get("/api/pool", headers=headers)
    assert [one.status_code for one in (chats, pool)] == [403, 403]


async def test_nobody_reads_them_without_a_key(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    with serving(FakeRunner()):
        response = await read()
        assert (await read(Authorization="Bearer sesame")).status_code == 200
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(("right", "status"), [("view_servedmodel", 200), ("ask_servedmodel", 403)])
async def test_a_person_needs_the_right_to_look(settings: Any, right: str, status: int) -> None:
    settings.CONFIG = Config(api_key="sesame")

    def sign_in() -> AsyncClient:
        person, client = User.objects.create_user("ann"), AsyncClient()
        person.groups.clear()
        person.user_permissions.set([Permission.objects.get(codename=right)])
        client.force_login(person)
        return client

    client = await sync_to_async(sign_in)()
    with serving(FakeRunner()):
        assert (await read(client)).status_code == status


async def test_a_chat_is_counted_and_a_made_up_model_is_no_label() -> None:
    counted = 'mlxsite_requests_total{endpoint="openai chat",model="%s",status="%s"}'
    with serving(FakeRunner(prompt_tokens=5)):
        before = await sample(counted % ("tiny", 200)), await sample(counted % ("unknown", 404))
        tokens = await sample('mlxsite_generation_tokens_total{model="tiny"}')
        assert (await chat()).status_code == 200
        assert (await chat(model="made-up-4711")).status_code == 404
        after = await sample(counted % ("tiny", 200)), await sample(counted % ("unknown", 404))
        page = (await read()).content.decode()
        assert await sample('mlxsite_generation_tokens_total{model="tiny"}') == tokens + 2
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]
    assert "made-up-4711" not in page


async def test_only_reading_is_allowed() -> None:
    assert (await AsyncClient().post("/metrics")).status_code == 405
