"""Embeddings with the official client on a real site: a BERT and a Qwen3-Embedding beside a chat model."""

import shutil
from collections.abc import Iterator

import numpy as np
import openai
import pytest
from openai import OpenAI

from tests.e2e.site import Site, fresh_dir
from tests.tiny import make_tiny_model
from tests.tiny_vectors import HIDDEN, make_tiny_bert, make_tiny_qwen3

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def client() -> Iterator[OpenAI]:
    folder = fresh_dir()
    make_tiny_bert(folder / "models" / "bert")
    make_tiny_qwen3(folder / "models" / "qwen3-embedding")
    make_tiny_model(folder / "models" / "tiny")
    with Site(folder, "--no-starter") as site:
        url = site.wait_ready(60).url
        yield OpenAI(base_url=f"{url}/v1", api_key="not-needed", max_retries=0, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


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
    assert kinds == {"bert": "embedding", "qwen3-embedding": "embedding", "tiny": "chat"}


@pytest.mark.parametrize("dimensions", [1, HIDDEN])
def test_dimensions_are_what_was_asked_for(client: OpenAI, dimensions: int) -> None:
    made = client.embeddings.create(model="qwen3-embedding", input="Once", dimensions=dimensions)
    assert len(made.data[0].embedding) == dimensions


def test_a_chat_model_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="makes text") as refusal:
        client.embeddings.create(model="tiny", input="Once")
    assert refusal.value.param == "model"


def test_too_many_dimensions_are_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match=f"{HIDDEN} dimensions") as refusal:
        client.embeddings.create(model="bert", input="Once", dimensions=HIDDEN + 1)
    assert refusal.value.param == "dimensions"
