import json
from typing import Any

import pytest

from inference.core.requests import Sampling
from tests.api.ollama.asking import HELLO, answering, ask, error_of, get
from tests.api.openai.asking import post
from tests.each import each
from tests.fakes import card, serving

CARDS = [
    card("tiny", parameter_count=135_000_000, quantization="4bit", aliases=("small:1b",)),
    card("owner/vectors", kind="embedding", parameter_count=7_600_000_000),
    card("broken", problem="its files cannot be read"),
]


async def fetch(path: str) -> Any:
    with serving(answering(), cards=CARDS):
        response = await get(path)
    assert response.status_code == 200
    return json.loads(response.content)


async def test_it_says_that_it_runs() -> None:
    for path in ("", "/"):
        response = await get(path)
        assert (response.status_code, response.content) == (200, b"Ollama is running")


async def test_every_model_is_listed_with_its_tag_and_aliases() -> None:
    models = (await fetch("/api/tags"))["models"]
    assert [model["name"] for model in models] == ["tiny:latest", "small:1b", "owner/vectors:latest"]
    assert models[0]["details"] == {
        "parent_model": "",
        "format": "safetensors",
        "family": "llama",
        "families": ["llama"],
        "parameter_size": "135M",
        "quantization_level": "4bit",
    }
    assert models[2]["details"]["parameter_size"] == "7.6B"
    assert len({model["digest"] for model in models}) == 2


async def test_what_is_in_memory_is_reported() -> None:
    with serving(answering(), cards=CARDS):
        before = json.loads((await get("/api/ps")).content)
        await ask("chat", messages=HELLO, stream=False)
        (model,) = json.loads((await get("/api/ps")).content)["models"]
    assert before == {"models": []}
    assert (model["name"], model["size"], model["size_vram"]) == ("tiny:latest", 10**9, 0)
    assert model["context_length"] == 8192 and model["expires_at"] > "2100"


async def test_clients_find_a_version_that_has_what_they_ask_for() -> None:
    assert (await fetch("/api/version"))["version"] >= "0.12"


@pytest.mark.parametrize("name", ["model", "name"])
async def test_a_model_is_shown(tmp_path: Any, name: str) -> None:
    (tmp_path / "chat_template.jinja").write_text("{% if tools %}{% endif %}<think>")
    (tmp_path / "config.json").write_text('{"hidden_size": 32}')
    shown = card(path=str(tmp_path), parameter_count=100, sampling=Sampling(temperature=0.25))
    with serving(answering(), cards=[shown]):
        response = await post("/ollama/api/show", {name: "tiny:latest", "verbose": True})
    answer = json.loads(response.content)
    assert response["x-mlx-noted"] == "verbose"
    assert answer["capabilities"] == ["completion", "tools", "thinking"]
    assert answer["model_info"]["llama.context_length"] == 8192
    assert answer["model_info"]["llama.embedding_length"] == 32
    assert answer["template"].endswith("<think>") and "temperature" in answer["parameters"]
    assert answer["modelfile"].startswith("FROM tiny:latest\n")


async def test_a_model_that_sees_has_vision() -> None:
    with serving(answering(), cards=[card(sees=True)]):
        response = await ask("show", model="tiny")
    assert json.loads(response.content)["capabilities"] == ["completion", "vision"]


async def test_an_embedding_model_embeds() -> None:
    with serving(answering(), cards=CARDS):
        response = await ask("show", model="owner/vectors")
    assert json.loads(response.content)["capabilities"] == ["embedding"]


async def test_what_is_not_there_is_not_shown() -> None:
    with serving(answering(), cards=CARDS):
        for model in ("broken", "none"):
            response = await ask("show", model=model)
            assert response.status_code == 404 and model in error_of(response)


@each("endpoint", ["pull", "push", "create", "copy", "blobs/sha256:1"])
async def test_models_are_not_managed_here(endpoint: str) -> None:
    with serving(answering(), cards=CARDS):
        response = await ask(endpoint)
    assert response.status_code == 400 and "manage.py pull" in error_of(response)
