"""Who may read over /api what pages of the admin show."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from inference.api.operator import token
from tests.accounts.making import make_key
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
ROUTE = "/api/usage"


async def status(client: AsyncClient | None = None, **headers: str) -> int:
    return (await (client or AsyncClient()).get(ROUTE, headers=headers)).status_code


def as_async(*rights: str) -> AsyncClient:
    client = AsyncClient()
    client.cookies = client_of("bob", *rights).cookies
    return client


async def test_manage_py_may_read_and_nobody_else_on_an_open_site() -> None:
    assert await status(Authorization=f"Bearer {token.make()}") == 200
    assert await status() == 403


@pytest.mark.parametrize(
    ("rights", "expected"), [(("view_requestrecord",), 200), (("run_servedmodel",), 403)]
)
async def test_an_account_needs_the_right_of_the_page(rights: tuple[str, ...], expected: int) -> None:
    assert await status(await sync_to_async(as_async)(*rights)) == expected


async def test_a_key_needs_the_scope_and_its_owner_the_right() -> None:
    def made(**facts: Any) -> str:
        return make_key(**facts)[1]

    opened = await sync_to_async(made)(can_manage=True)
    assert await status(Authorization=f"Bearer {opened}") == 403

    def give_right() -> None:
        from django.contrib.auth.models import Permission, User

        User.objects.get(username="ann").user_permissions.set(
            Permission.objects.filter(codename="view_requestrecord")
        )

    await sync_to_async(give_right)()
    assert await status(Authorization=f"Bearer {opened}") == 200
    chats = await sync_to_async(made)(name="chats only")
    assert await status(Authorization=f"Bearer {chats}") == 403


async def test_the_operators_key_may_read(settings: Any) -> None:
    from inference.core.config import Config

    settings.CONFIG = Config(api_key="sesame sesame")
    assert await status(Authorization="Bearer sesame sesame") == 200
    assert await status() == 401
