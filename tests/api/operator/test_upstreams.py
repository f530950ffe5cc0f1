"""The operator's API for upstreams; what is refused is tests/serving/test_upstreams.py."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import AsyncClient

from tests.fakes import FakeRunner, serving
from tests.people import client_of
from tests.upstreams.fake_server import fake_server, says_hello

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/upstreams"
RIGHTS = ("view_upstream", "change_upstream", "delete_upstream")


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(FakeRunner()):
        yield


def client(*rights: str) -> AsyncClient:
    made = AsyncClient(headers={"host": "127.0.0.1"})
    made.cookies = client_of("ann", *rights).cookies
    return made


async def post(by: AsyncClient, path: str = "", **body: Any) -> Any:
    return await by.post(f"{ADDRESS}{path}", json.dumps(body), content_type="application/json")


@pytest.fixture
def operator() -> AsyncClient:
    return client(*RIGHTS)


async def test_one_is_saved_tested_listed_and_deleted_and_its_key_is_never_shown(
    operator: AsyncClient,
) -> None:
    async with fake_server(says_hello) as server:
        url = server.address().base_url
        models = [{"model": "big", "name": "theirs", "context_length": 1000}]
        saved = await post(operator, name="one", base_url=url, engine="vllm", key="s3cret", models=models)
        tested = json.loads((await post(operator, "/test", name="one")).content)
    assert saved.status_code == 200 and b"s3cret" not in saved.content
    assert tested == {
        "answers": True,
        "text": "The upstream one answers and lists 1 model.",
        "models": ["theirs"],
    }
    listed = await operator.get(ADDRESS)
    before, (after,) = json.loads(saved.content), json.loads(listed.content)
    assert before["models"][0].pop("state") == "not asked yet"
    assert after["models"][0].pop("state") == "answers"
    assert after == before and b"s3cret" not in listed.content
    assert json.loads((await post(operator, "/delete", name="one")).content) == []


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [
        (("view_upstream",), (200, 403, 403, 403)),
        (("change_upstream",), (200, 200, 200, 403)),
        (("run_servedmodel",), (403, 403, 403, 403)),
    ],
)
def test_each_right_opens_its_own(rights: tuple[str, ...], statuses: tuple[int, ...]) -> None:
    from asgiref.sync import async_to_sync

    by = client(*rights)

    async def ask() -> tuple[int, ...]:
        found = [
            await by.get(ADDRESS),
            await post(by, name="one", base_url="http://127.0.0.1:1/v1"),
            await post(by, "/test", name="one"),
            await post(by, "/delete", name="one"),
        ]
        return tuple(response.status_code for response in found)

    assert async_to_sync(ask)() == statuses


async def test_an_open_site_lets_nobody_add_one_who_has_not_signed_in() -> None:
    assert (await post(AsyncClient(), name="one", base_url="http://127.0.0.1:1/v1")).status_code == 403
    assert (await AsyncClient().get(ADDRESS)).status_code == 403
