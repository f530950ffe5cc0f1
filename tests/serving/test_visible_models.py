"""A key with a list of models: it sees and uses those, in every dialect."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from inference.accounts.key_ring import RING
from inference.core.principal import Principal
from inference.core.profile import Profile
from inference.serving import visible_models
from tests.accounts.making import make_key
from tests.api.openai.asking import HELLO, chat_body, post
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)
CARDS = [card("tiny", profiles=(Profile(name="terse"),), aliases=("small",)), card("other"), card("third")]


@pytest.fixture
async def key() -> Any:
    """What the holder of a key for one model and one profile sends."""
    RING.forget()
    _, secret = await sync_to_async(make_key)(allowed_models=["tiny:terse", "other"])
    yield {"Authorization": f"Bearer {secret}"}
    RING.forget()


async def names(path: str, at: str, field: str, key: dict[str, str]) -> list[str]:
    found = json.loads((await AsyncClient().get(path, headers=key)).content)
    return [model[field] for model in found[at]]


async def test_its_lists_have_no_other_models(key: dict[str, str]) -> None:
    with serving(FakeRunner(), cards=CARDS):
        assert await names("/v1/models", "data", "id", key) == ["tiny:terse", "other"]
        assert await names("/v1/models", "models", "slug", key) == ["tiny:terse", "other"]
        anthropic = key | {"anthropic-version": "2023-06-01"}
        assert await names("/v1/models", "data", "id", anthropic) == ["tiny:terse", "other"]
        tags = await names("/ollama/api/tags", "models", "name", key)
        assert tags == ["tiny:terse", "small:terse", "other:latest"]
        assert len(await names("/v1/models", "data", "id", {})) == 4
        for name, status in (("other", 200), ("tiny", 404), ("small", 404), ("small:terse", 200)):
            retrieved = await AsyncClient().get(f"/v1/models/{name}", headers=key)
            assert retrieved.status_code == status
            shown = await post("/ollama/api/show", {"model": name}, headers=key)
            assert shown.status_code == status


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", chat_body()),
        ("/v1/completions", {"prompt": "a"}),
        ("/v1/responses", {"input": "a"}),
        ("/v1/messages", {"max_tokens": 5, "messages": HELLO}),
        ("/v1/messages/count_tokens", {"messages": HELLO}),
        ("/v1/embeddings", {"input": "a"}),
        ("/v1/tokenize", {"prompt": "a"}),
        ("/ollama/api/chat", {"messages": HELLO}),
        ("/tokenize", {"prompt": "a"}),
    ],
)
async def test_no_dialect_answers_with_another_model(
    key: dict[str, str], path: str, body: dict[str, Any]
) -> None:
    runner = FakeRunner()
    with serving(runner, cards=CARDS):
        for name in ("tiny", "small", "third"):
            refused = await post(path, body | {"model": name}, headers=key)
            assert refused.status_code == 404, name
            assert "This API key has no model" in refused.content.decode()
        assert not runner.requests and not runner.loads


async def test_its_own_models_answer(key: dict[str, str]) -> None:
    with serving(FakeRunner(), FakeRunner(), cards=CARDS):
        for name in ("other", "small:terse"):
            response = await post("/v1/chat/completions", chat_body(model=name), headers=key)
            assert response.status_code == 200
        missing = await post("/v1/chat/completions", chat_body(model="nobody"), headers=key)
    assert missing.status_code == 404 and "There is no model 'nobody' here" in missing.content.decode()


async def test_a_request_without_a_model_means_its_only_one(key: dict[str, str]) -> None:
    with serving(FakeRunner(), cards=CARDS):
        response = await post("/tokenize", {"prompt": "a"}, headers=key)
    assert "'model' is required" not in response.content.decode()


async def test_a_model_has_its_variants_with_it() -> None:
    (base, *variants) = [card("tiny", profiles=(Profile(name="terse"),)), *CARDS[0].variants]
    holder = Principal(kind="key", models=frozenset({"tiny"}))
    assert visible_models.may_use(holder, base) and visible_models.may_use(holder, variants[0])
    assert visible_models.may_use(Principal(kind="local"), base)
