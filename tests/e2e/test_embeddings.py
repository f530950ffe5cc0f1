"""Embeddings with the official client on a real site: a BERT and a Qwen3-Embedding beside a chat model."""

import shutil
from collections.abc import Iterator

import httpx
import numpy as np
import openai
import pytest
from openai import OpenAI

from tests.api.openai.site import eventually
from tests.e2e.site import Site
from tests.tiny_vectors import HIDDEN, make_tiny_bert, make_tiny_qwen3

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def client(tiny_site: Site) -> Iterator[OpenAI]:
    models = tiny_site.data_dir / "models"
    drafts = (make_tiny_bert(models / ".bert"), make_tiny_qwen3(models / ".qwen3-embedding"))
    folders = {draft.name[1:]: draft.rename(draft.with_name(draft.name[1:])) for draft in drafts}
    client = OpenAI(base_url=f"{tiny_site.url}/v1", api_key="not-needed", max_retries=0, timeout=60)
    assert eventually(lambda: folders.keys() <= {model.id for model in client.models.list()}, within_s=20)
    yield client
    for name, folder in folders.items():
        httpx.post(f"{tiny_site.url}/api/models/unload", json={"model": name})
        shutil.rmtree(folder)


@pytest.mark.parametrize("model", ["bert", "qwen3-embedding"])
def test_texts_become_vectors(client: OpenAI, model: str) -> None:
    asked = ["Once upon a time", "There was"]
    packed = client.embeddings.create(model=model, input=asked)  # base64 on the wire
    plain = client.embeddings.create(model=model, input=asked, encoding_format="float")
    vectors = np.array([one.embedding for one in packed.data])
    assert vectors.shape == (2, HIDDEN)
    assert np.allclose(vectors, [one.embedding for one in plain.data])
    assert packed.usage.prompt_tokens == packed.usage.total_tokens > 0


def test_models_report_what_they_make(client: OpenAI) -> None:
    kinds = {model.id: model.to_dict()["kind"] for model in client.models.list()}
    assert kinds.items() >= {"bert": "embedding", "qwen3-embedding": "embedding", "tiny": "chat"}.items()


@pytest.mark.parametrize("dimensions", [1, HIDDEN])
def test_dimensions_are_what_was_asked_for(client: OpenAI, dimensions: int) -> None:
    made = client.embeddings.create(model="qwen3-embedding", input="Once", dimensions=dimensions)
    assert len(made.data[0].embedding) == dimensions


def test_a_chat_model_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="returns text, not embeddings") as refusal:
        client.embeddings.create(model="tiny", input="Once")
    assert refusal.value.param == "model"


def test_too_many_dimensions_are_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=f"{HIDDEN} dimensions") as refusal:
        client.embeddings.create(model="bert", input="Once", dimensions=HIDDEN + 1)
    assert refusal.value.param == "dimensions"
