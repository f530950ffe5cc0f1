"""The operator's API for quantisations; what they do is tests/serving/test_quantising.py."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient
from pydantic import SecretStr

from tests.api.openai.asking import error_of
from tests.people import client_of
from tests.repository.conversions.waiting import has_begun, until
from tests.serving.quantising_site import QuantisingSite

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/quantisations"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[QuantisingSite]:
    with QuantisingSite.of(tmp_path) as site:
        yield site


async def post(path: str = "", **body: Any) -> Any:
    return await AsyncClient().post(f"{ADDRESS}{path}", json.dumps(body), content_type="application/json")


async def test_one_is_started_listed_and_cancelled(site: QuantisingSite) -> None:
    response = await post(model="tiny", recipe="mixed_4_6", name="small")
    started = json.loads(response.content)
    assert (response.status_code, started["name"], started["state"]) == (200, "small", "waiting")
    assert started["plan"]["job"]["settings"]["recipe"] == "mixed_4_6"
    until(site.register, has_begun, "small")
    listed = json.loads((await AsyncClient().get(ADDRESS)).content)
    assert listed[0]["progress"]["steps"] == [{"name": "quantise", "done": 1, "size": 2}]
    cancelled = json.loads((await post("/cancel", name="small")).content)
    assert cancelled[0]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("body", "param", "text"),
    [
        ({"model": "nobody"}, "model", "There is no model 'nobody'"),
        ({"model": "tiny", "bits": 3}, "bits", "3 bits are not possible"),
        ({"model": "tiny", "recipe": "soup"}, "recipe", "There is no recipe 'soup'"),
        ({"model": "tiny", "group_size": 7}, "group_size", "Groups of 7 are not possible"),
        ({"model": "tiny", "name": "../x"}, "name", "cannot be a model's name"),
        ({"model": "tiny", "name": "tiny"}, "name", "choose another name"),
        ({"model": "tiny", "colour": "red"}, "colour", "colour"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    site: QuantisingSite, body: dict[str, Any], param: str, text: str
) -> None:
    response = await post(**body)
    assert response.status_code == (404 if body["model"] == "nobody" else 400)
    assert error_of(response)["param"] == param and text in error_of(response)["message"]
    assert site.register.all() == ()


async def test_nobody_and_pages_of_other_sites_are_refused(site: QuantisingSite, settings: Any) -> None:
    foreign = {"origin": "http://evil.example"}
    assert (await AsyncClient().get(ADDRESS, headers=foreign)).status_code == 403
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    assert [(await AsyncClient().get(ADDRESS)).status_code, (await post(model="tiny")).status_code] == [
        401,
        401,
    ]
    assert site.register.all() == ()


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [
        (["add_download"], (200, 200)),
        (["view_download"], (200, 403)),
        (["run_servedmodel"], (403, 403)),
    ],
)
def test_users_need_the_right_to_download(
    site: QuantisingSite, settings: Any, rights: list[str], statuses: tuple[int, int]
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    client = client_of("ann", *rights)
    looked = client.get(ADDRESS)
    cancelled = client.post(f"{ADDRESS}/cancel", '{"name": "x"}', content_type="application/json")
    assert (looked.status_code, cancelled.status_code) == statuses
