"""Models of the hub over /api."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import AsyncClient, Client
from pydantic import SecretStr

from inference.serving.discovery import hub_models, suggested_models
from tests.api.openai.asking import error_of
from tests.fakes import GB, FakeRunner, serving
from tests.people import client_of
from tests.repository.discovery.hub_answers import QWEN, entry
from tests.repository.hub import LISTING, REPO, SEARCH, FakeHub, Refusal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def pool() -> Iterator[None]:
    hub_models.forget()
    with serving(FakeRunner()):
        yield


async def get(path: str = "", **query: str) -> Any:
    return await AsyncClient().get(f"/api/hub/models{path}", query)


async def test_a_search_has_what_the_hub_says(hub: FakeHub) -> None:
    hub.results = [entry()]
    response = await get(search="qwen", sort="likes", limit="3")
    assert json.loads(response.content) == {
        "models": [
            {
                "id": QWEN,
                "downloads": 123456,
                "likes": 42,
                "updated": "2026-10-03",
                "size_bytes": 2_020_000_000,
                "family": "qwen3",
                "quantization": "4bit",
                "licence": "apache-2.0",
                "capabilities": ["tools", "thinking"],
                "mlx": True,
                "gated": False,
            }
        ]
    }
    assert "search=qwen&filter=mlx&sort=likes&limit=3" in hub.searches[0]


async def test_one_model_has_its_verdict(hub: FakeHub) -> None:
    hub.facts["cardData"] = {"license": "mit"}
    found = json.loads((await get(f"/{REPO}")).content)
    assert (found["id"], found["verdict"], found["problem"]) == (REPO, "fits", "")
    assert (found["licence"], found["adapter"], found["kind"]) == ("mit", "llama3", "chat")
    assert found["context_length"] == found["context_fits_now"] == found["context_fits_alone"] == 2048
    assert found["download_bytes"] > found["size_bytes"] > 0 and found["limit_bytes"] == 10 * GB


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({}, "search"),
        ({"search": " "}, "search"),
        ({"search": "x" * 201}, "search"),
        ({"search": "x", "sort": "size"}, "sort"),
        ({"search": "x", "format": "gguf"}, "format"),
        ({"search": "x", "limit": "0"}, "limit"),
        ({"search": "x", "limit": "101"}, "limit"),
        ({"search": "x", "limit": "many"}, "limit"),
        ({"search": "x", "limit": "9" * 5000}, "limit"),
    ],
)
async def test_a_wrong_question_names_its_field(hub: FakeHub, query: dict[str, str], param: str) -> None:
    response = await get(**query)
    assert (response.status_code, error_of(response)["param"]) == (400, param)
    assert not hub.heard


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Refusal(500), 503), (Refusal(429), 503), (Refusal(403, {"X-Error-Code": "GatedRepo"}), 403)],
)
async def test_what_the_hub_refuses_has_a_status_of_its_own(
    hub: FakeHub, refusal: Refusal, status: int
) -> None:
    hub.refusals |= {LISTING: [refusal], SEARCH: [refusal]}
    assert [(await get(f"/{REPO}")).status_code, (await get(search="x")).status_code] == [status, status]


async def test_what_is_no_model_says_so(hub: FakeHub) -> None:
    assert (await get("/org/other")).status_code == 404
    assert (await get("/tiny")).status_code == 400
    del hub.files["config.json"]
    response = await get(f"/{REPO}")
    assert response.status_code == 400 and "no config.json" in error_of(response)["message"]


@pytest.mark.parametrize(
    ("right", "status"), [("view_download", 200), ("add_download", 200), ("view_servedmodel", 403)]
)
def test_users_need_the_right_to_look_at_downloads(
    hub: FakeHub, settings: Any, right: str, status: int
) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    client = client_of("ann", right)
    addresses = ("/api/hub/models?search=x", f"/api/hub/models/{REPO}")
    assert [client.get(address).status_code for address in addresses] == [status, status]
    assert [Client().get(address).status_code for address in addresses] == [401, 401]


async def test_the_recommended_models_need_no_hub(hub: FakeHub) -> None:
    answer = json.loads((await AsyncClient().get("/api/hub/recommended")).content)
    assert answer["as_of"] == suggested_models.AS_OF.isoformat() and hub.searches == []
    assert [one["id"] for one in answer["models"]] == [one.id for one in suggested_models.SUGGESTED]
    assert all(one["text"] and one["verdict"] and one["licence"] for one in answer["models"])
