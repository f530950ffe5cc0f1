"""Rerankers on real workers: cross-encoders against numpy, Qwen3-Reranker against its own logits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from tokenizers import Tokenizer

from inference.core.errors import ContextLengthExceeded, InvalidValue, ModelLoadFailed
from inference.core.events import Finished, Reranked
from inference.core.requests import EmbeddingRequest, RerankRequest
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.nightly import of_each_kind
from tests.pool.worker_models import OPTIONS, ask, chat, started
from tests.tiny_rerankers import cross_encoder_score, make_tiny_cross_encoder, make_tiny_judge
from tests.tiny_vectors import LONGEST

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
QUERY = "Once?"
DOCUMENTS = ("There was", "x", "a longer text " * 3, "é 漢字", "")


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="module")
def roberta_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "roberta", is_roberta=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bert(bert_folder: Path) -> AsyncIterator[ProcessRunner]:
    runner = await started(bert_folder)
    yield runner
    await runner.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roberta(roberta_folder: Path) -> AsyncIterator[ProcessRunner]:
    runner = await started(roberta_folder)
    yield runner
    await runner.stop()


async def judge_of(folder: Path) -> ProcessRunner:
    runner = ProcessRunner(OPTIONS)
    await runner.load(card("me/Qwen3-Reranker-tiny", path=str(folder)), lambda progress: None)
    return runner


async def reranked(
    runner: ProcessRunner, *documents: str, query: str = QUERY, most: int | None = None
) -> Reranked:
    request = RerankRequest(model="tiny", query=query, documents=documents, max_tokens_per_document=most)
    (found,) = [event for event in await ask(runner, request) if isinstance(event, Reranked)]
    return found


async def scores(runner: ProcessRunner, *documents: str, most: int | None = None) -> tuple[float, ...]:
    return (await reranked(runner, *documents, most=most)).scores


async def test_a_cross_encoder_scores_as_its_formula_says(
    bert: ProcessRunner, bert_folder: Path, roberta: ProcessRunner, roberta_folder: Path
) -> None:
    for runner, folder in ((bert, bert_folder), (roberta, roberta_folder)):
        wanted = [cross_encoder_score(folder, QUERY, document) for document in DOCUMENTS]
        assert np.allclose(await scores(runner, *DOCUMENTS), wanted, atol=1e-5)
        assert max(wanted) - min(wanted) > 0.003


async def test_a_document_has_the_same_score_alone_and_beside_others(bert: ProcessRunner) -> None:
    together = await scores(bert, *DOCUMENTS)
    alone = [(await scores(bert, document))[0] for document in DOCUMENTS]
    assert np.allclose(together, alone, atol=1e-5)
    at_once = await asyncio.gather(*(scores(bert, document) for document in DOCUMENTS))
    assert np.allclose(np.array(at_once)[:, 0], alone, atol=1e-5)


@pytest.mark.parametrize("is_tied", of_each_kind([True, False], [True]))
async def test_a_judge_scores_by_its_yes_and_no(tmp_path: Path, is_tied: bool) -> None:
    folder = make_tiny_judge(tmp_path / "judge", is_tied=is_tied)
    runner = await judge_of(folder)
    try:
        found = await scores(runner, *DOCUMENTS)
        alone = [(await scores(runner, document))[0] for document in DOCUMENTS]
    finally:
        await runner.stop()
    assert np.allclose(found, [judged(folder, document) for document in DOCUMENTS], atol=1e-5)
    assert np.allclose(found, alone, atol=1e-5)


def judged(folder: Path, document: str) -> float:
    """The share of "yes", by mlx-lm's own model and the prompt of the model's page."""
    import mlx.core as mx
    from mlx_lm.utils import load_model

    mx.set_default_device(mx.cpu)
    prompt = (
        "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
        'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
        "<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n"
        f"<Query>: {QUERY}\n<Document>: {document}"
        "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = tokenizer.encode(prompt).ids
    logits = np.array(load_model(folder)[0](mx.array([ids]))[0, -1].astype(mx.float32))
    pair = np.exp([logits[tokenizer.token_to_id(word)] for word in ("no", "yes")])
    return float(pair[1] / pair.sum())


async def test_a_long_document_is_cut_where_that_is_asked_for_and_where_it_must(
    bert: ProcessRunner, bert_folder: Path
) -> None:
    cut = await reranked(bert, "abcdef", "abc", most=3)
    assert cut.scores[0] == pytest.approx(cut.scores[1], abs=1e-6) and cut.cut == 1
    fits = LONGEST - len(QUERY) - 3
    long, short = await reranked(bert, "a" * 500), await reranked(bert, "a" * fits)
    assert (long.cut, short.cut) == (1, 0)
    assert long.scores == pytest.approx(short.scores, abs=1e-6)


async def test_tokens_are_counted_with_those_around_a_pair(bert: ProcessRunner) -> None:
    events = await ask(bert, RerankRequest(model="tiny", query="Hi", documents=("Once", "a")))
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.prompt_tokens == (3 + 2 + 4) + (3 + 2 + 1)


async def test_a_query_that_leaves_no_room_is_refused(bert: ProcessRunner) -> None:
    with pytest.raises(ContextLengthExceeded, match="no room") as refused:
        await reranked(bert, "x", query="q" * LONGEST)
    assert refused.value.param == "query"
    assert await scores(bert, "x")


async def test_roberta_has_fewer_positions_than_rows(roberta: ProcessRunner) -> None:
    assert (await reranked(roberta, "x" * 500)).cut == 1


async def test_a_reranker_does_nothing_else(bert: ProcessRunner) -> None:
    with pytest.raises(InvalidValue, match="scores"):
        await ask(bert, chat())
    with pytest.raises(InvalidValue, match="does not compute embeddings"):
        await ask(bert, EmbeddingRequest(model="tiny", inputs=("x",)))


async def test_a_classifier_is_no_reranker(tmp_path: Path) -> None:
    folder = make_tiny_cross_encoder(tmp_path / "classes", labels=3)
    with pytest.raises(ModelLoadFailed, match="3 classes"):
        await started(folder)
