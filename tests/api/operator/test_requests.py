"""GET /api/requests and /api/requests/{id}."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from inference.api.operator import token
from tests.admin.test_request_admin import record
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)


async def get(rest: str = "", **query: str) -> Any:
    headers = {"Authorization": f"Bearer {token.make()}"}
    return await AsyncClient().get(f"/api/requests{rest}", query, headers=headers)


async def test_it_answers_with_requests_and_never_with_their_text() -> None:
    text = {"prompt": "a secret question", "answer": "a secret answer"}
    await sync_to_async(record)(
        request_id="req_1", prefill_ms=1500, prompt_tokens=30, error="pool_full", **text
    )
    listed = await get(limit="1")
    (one,) = listed.json()["requests"]
    assert (one["id"], one["caller"], one["error"], one["total_ms"]) == (
        "req_1",
        "this machine",
        "pool_full",
        1500,
    )
    assert one["phases"][2] == {"name": "prefill", "ms": 1500, "note": "30 tokens at 20 tokens/s"}
    assert (await get("/req_1")).json() == one and b"secret" not in listed.content


@pytest.mark.parametrize("limit", ["0", "1001", "many", "²"])
async def test_a_wrong_limit_is_400(limit: str) -> None:
    response = await get(limit=limit)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "limit")


async def test_what_is_not_recorded_is_404() -> None:
    response = await get("/req_of_nobody")
    assert response.status_code == 404 and "no record" in response.json()["error"]["message"]


async def test_it_needs_the_right_of_the_page() -> None:
    await sync_to_async(record)(request_id="req_1")
    for rights, status in ((("view_requestrecord",), 200), (("run_servedmodel",), 403)):
        client = AsyncClient()
        client.cookies = (await sync_to_async(client_of)(f"ann{status}", *rights)).cookies
        for route in ("/api/requests", "/api/requests/req_1"):
            assert (await client.get(route)).status_code == status
