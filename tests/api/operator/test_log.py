"""GET /api/log."""

from typing import Any

import pytest
from django.test import AsyncClient

from inference.api.operator import token
from inference.core.log_ring import RING
from tests.core.test_log_ring import log

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(**query: str) -> Any:
    headers = {"Authorization": f"Bearer {token.make()}"}
    return await AsyncClient().get("/api/log", query, headers=headers)


async def test_it_answers_with_the_newest_lines_that_fit() -> None:
    for number in range(3):
        log(RING, f"line {number}", request_id="req_of_the_api")
    lines = (await ask(request="req_of_the_api", limit="2")).json()["lines"]
    assert [line["message"] for line in lines] == ["line 2", "line 1"]
    assert lines[0]["logger"] == "inference.pool" and lines[0]["time"].endswith("+00:00")


@pytest.mark.parametrize(
    "query",
    [{"level": "LOUD"}, *({"limit": limit} for limit in ("0", "many", "1001", "00999999", "9" * 5000))],
)
async def test_what_it_does_not_know_is_400_with_the_name_of_the_parameter(query: dict[str, str]) -> None:
    response = await ask(**query)
    assert (response.status_code, response.json()["error"]["param"]) == (400, next(iter(query)))


async def test_nobody_else_reads_it_on_an_open_site() -> None:
    assert (await AsyncClient().get("/api/log")).status_code == 403
