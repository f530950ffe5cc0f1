"""The operator's API for profiles; what is refused is tests/serving/test_profiles.py."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import AsyncClient
from pydantic import SecretStr

from inference.core.model_card import LoraCard
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/profiles"


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(
        FakeRunner(), cards=[card("tiny", aliases=("t",), loras=(LoraCard(name="pirate", path="/p"),))]
    ):
        yield


async def post(path: str = "", **body: Any) -> Any:
    return await AsyncClient().post(f"{ADDRESS}{path}", json.dumps(body), content_type="application/json")


async def test_one_is_saved_listed_and_deleted() -> None:
    saved = json.loads((await post(model="t", name="terse", system="Be terse.", temperature=0)).content)
    assert (saved["id"], saved["temperature"], saved["top_k"]) == ("tiny:terse", 0, None)
    for address in (ADDRESS, f"{ADDRESS}?model=t"):
        assert json.loads((await AsyncClient().get(address)).content) == [saved]
    await post(model="tiny", name="calm", template_options={"enable_thinking": False})
    rest = json.loads((await post("/delete", model="t", name="terse")).content)
    assert [one["id"] for one in rest] == ["tiny:calm"]


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("", {"model": "nobody", "name": "x"}, 404, "There is no model 'nobody'"),
        ("", {"model": "tiny:pirate", "name": "x"}, 400, "tiny:pirate is an adapter"),
        ("", {"model": "tiny", "name": "a b"}, 400, "A name has only letters"),
        ("", {"model": "tiny", "name": "x", "temperature": 3}, 400, "less than or equal to 2"),
        ("", {"model": "tiny", "name": "x", "colour": "red"}, 400, "colour"),
        ("/delete", {"model": "tiny", "name": "x"}, 404, "There is no profile tiny:x"),
    ],
)
async def test_what_cannot_be_is_refused(path: str, body: dict[str, Any], status: int, text: str) -> None:
    response = await post(path, **body)
    assert response.status_code == status and text in error_of(response)["message"]


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [(["run_servedmodel"], (200, 200)), (["view_servedmodel"], (200, 403)), (["add_download"], (403, 403))],
)
def test_users_need_the_right_to_run_models(
    settings: Any, rights: list[str], statuses: tuple[int, int]
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    client = client_of("ann", *rights)
    looked = client.get(ADDRESS)
    saved = client.post(ADDRESS, '{"model": "tiny", "name": "x"}', content_type="application/json")
    assert (looked.status_code, saved.status_code) == statuses
