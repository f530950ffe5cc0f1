"""GET /api/health."""

import pytest
from django.test import AsyncClient

from inference.api.operator import token
from tests.fakes import serving

pytestmark = pytest.mark.django_db(transaction=True)


async def test_it_answers_with_what_was_found() -> None:
    with serving() as pool:
        headers = {"Authorization": f"Bearer {token.make()}"}
        answer = (await AsyncClient().get("/api/health", headers=headers)).json()
        assert (await AsyncClient().get("/api/health")).status_code == 403
        await pool.close()
    assert answer["state"] in {"good", "look", "wrong"}
    found = {result["about"]: result for result in answer["results"]}
    assert found["memory pressure"]["state"] == "good" and {"keys", "worker deaths"} <= found.keys()
