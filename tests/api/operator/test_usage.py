"""GET /api/usage."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from inference.api.operator import token
from tests.models.test_usage_hour import an_hour

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(**query: str) -> Any:
    headers = {"Authorization": f"Bearer {token.make()}"}
    return await AsyncClient().get("/api/usage", query, headers=headers)


async def test_it_answers_with_the_report() -> None:
    await sync_to_async(an_hour(prompt_tokens=5).save)()
    answer = (await ask(range="30d", by="user", zone="Europe/Berlin")).json()
    assert (answer["range"], answer["by"], answer["total"]["prompt_tokens"]) == ("30d", "user", 5)
    assert [row["name"] for row in answer["rows"]] == ["no account"]
    assert len(answer["periods"]) == len(answer["series"][0]["values"]) == 30
    assert answer["series"][0]["values"][-1]["requests"] == 1


@pytest.mark.parametrize(
    "query", [{"range": "1y"}, {"by": "colour"}, {"zone": "Nowhere/Town"}, {"format": "xls"}]
)
async def test_what_it_does_not_know_is_400_with_the_name_of_the_parameter(query: dict[str, str]) -> None:
    response = await ask(**query)
    assert (response.status_code, response.json()["error"]["param"]) == (400, next(iter(query)))


async def test_it_is_also_a_table_for_spreadsheets() -> None:
    await sync_to_async(an_hour(prompt_tokens=5).save)()
    answer = await ask(range="24h", format="csv")
    assert answer["content-type"] == "text/csv; charset=utf-8"
    assert answer["content-disposition"] == 'attachment; filename="usage-model-24h.csv"'
    heading, row = answer.content.decode().splitlines()
    assert heading.startswith("start,model,requests") and ",5,0," in row
