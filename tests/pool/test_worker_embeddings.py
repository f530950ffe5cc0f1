"""Embeddings on real workers: BERT against numpy, Qwen3 alone against together, and what is refused."""

import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from tokenizers import Tokenizer

from inference.core.errors import ContextLengthExceeded, InvalidValue
from inference.core.events import Accepted, Embedded, Finished
from inference.core.requests import EmbeddingRequest, Prompt
from inference.pool import ProcessRunner
from tests.pool.worker_models import ask, chat, started
from tests.tiny_vectors import HIDDEN, LONGEST, Floats, bert_vector, make_tiny_bert, make_tiny_qwen3

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
TEXTS = ("Once upon a time", "x", "There was a long text " * 3, "é 漢字 😀")


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bert(bert_folder: Path) -> AsyncIterator[ProcessRunner]:
    runner = await started(bert_folder)
    yield runner
    await runner.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def qwen3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    runner = await started(make_tiny_qwen3(tmp_path_factory.mktemp("models") / "qwen3-embedding"))
    yield runner
    await runner.stop()


async def vectors(runner: ProcessRunner, *inputs: Prompt, **fields: Any) -> list[Floats]:
    events = await ask(runner, EmbeddingRequest(model="tiny", inputs=inputs, **fields))
    (made,) = (event.vectors for event in events if isinstance(event, Embedded))
    return [np.array(struct.unpack(f"<{len(one) // 4}f", one), np.float32) for one in made]


def ids_of(folder: Path, text: str) -> list[int]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return list(tokenizer.encode(text).ids)


async def test_bert_says_what_its_formula_says(bert: ProcessRunner, bert_folder: Path) -> None:
    made = await vectors(bert, *TEXTS)
    for text, vector in zip(TEXTS, made, strict=True):
        assert np.allclose(vector, bert_vector(bert_folder, ids_of(bert_folder, text)), atol=1e-5)


async def test_a_text_has_the_same_vector_alone_and_beside_others(
    bert: ProcessRunner, qwen3: ProcessRunner
) -> None:
    for runner in (bert, qwen3):
        together = await vectors(runner, *TEXTS)
        alone = [(await vectors(runner, text))[0] for text in TEXTS]
        assert np.allclose(together, alone, atol=1e-5)
        assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


async def test_many_requests_at_once_get_their_own_vectors(bert: ProcessRunner) -> None:
    texts = [f"text {number} " * (number % 5 + 1) for number in range(24)]
    together = await asyncio.gather(*(vectors(bert, text) for text in texts))
    assert np.allclose(np.array(together)[:, 0], await vectors(bert, *texts), atol=1e-5)


async def test_a_reader_that_leaves_disturbs_nobody(qwen3: ProcessRunner) -> None:
    before = await vectors(qwen3, "Once")
    leaving = asyncio.ensure_future(vectors(qwen3, *("x" * 200 for _ in range(50))))
    staying = asyncio.ensure_future(vectors(qwen3, "Once"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert np.allclose(await staying, before, atol=1e-5)
    assert leaving.cancelled() or await asyncio.wait([leaving])


async def test_a_long_text_is_computed_in_chunks(qwen3: ProcessRunner) -> None:
    """More than two chunks of 64; the last token has seen the first."""
    one, other = await vectors(qwen3, "a" + "x" * 180, "b" + "x" * 180)
    assert not np.allclose(one, other, atol=1e-4)


async def test_the_token_ids_of_a_text_have_its_vector(bert: ProcessRunner, bert_folder: Path) -> None:
    text, ids = await vectors(bert, "Once", tuple(ids_of(bert_folder, "Once")))
    assert np.allclose(text, ids, atol=1e-6)


async def test_fewer_dimensions_are_the_first_ones_brought_to_length(qwen3: ProcessRunner) -> None:
    (whole,), (cut,) = await vectors(qwen3, "Once"), await vectors(qwen3, "Once", dimensions=8)
    assert np.allclose(cut, whole[:8] / np.linalg.norm(whole[:8]), atol=1e-5)


async def test_tokens_are_counted_with_those_around_a_text(bert: ProcessRunner) -> None:
    events = await ask(bert, EmbeddingRequest(model="tiny", inputs=("Once", "a")))
    assert isinstance(events[-1], Finished)
    assert events[-1].usage.prompt_tokens == (1 + 4 + 1) + (1 + 1 + 1)


@pytest.mark.parametrize(
    ("inputs", "dimensions", "says"),
    [
        (("x" * LONGEST,), None, "98 tokens"),
        (("fine", "x" * LONGEST), None, "Input 1"),
        (((10_000,),), None, "no token 10000.*check_embedding_ctx_length=False"),
        (("Once",), HIDDEN + 1, f"{HIDDEN} dimensions"),
    ],
)
async def test_what_does_not_fit_is_refused(
    bert: ProcessRunner, inputs: tuple[Prompt, ...], dimensions: int | None, says: str
) -> None:
    with pytest.raises((InvalidValue, ContextLengthExceeded), match=says):
        await vectors(bert, *inputs, dimensions=dimensions)
    assert len(await vectors(bert, "Once")) == 1


async def test_an_embedding_model_does_not_chat(bert: ProcessRunner) -> None:
    with pytest.raises(InvalidValue, match="makes embeddings"):
        await ask(bert, chat())


async def test_a_text_that_is_too_long_is_cut_where_that_is_asked_for(
    bert: ProcessRunner, qwen3: ProcessRunner
) -> None:
    for runner, fits in ((bert, LONGEST - 2), (qwen3, 256 - 1)):
        short, long, huge = await vectors(
            runner, "a" * fits, "a" * fits + "bc", "a" * 100_000, truncates=True
        )
        assert np.allclose(long, short, atol=1e-6) and np.allclose(huge, short, atol=1e-6)


async def test_ids_without_what_is_around_a_text_are_taken_where_they_are_of_this_tokenizer(
    bert: ProcessRunner, bert_folder: Path
) -> None:
    assert await vectors(bert, tuple(ids_of(bert_folder, "Once")[1:-1]))


async def test_ids_that_this_tokenizer_makes_of_no_text_are_refused(
    bert: ProcessRunner, bert_folder: Path
) -> None:
    half_a_character = ids_of(bert_folder, "é")[1]
    with pytest.raises(InvalidValue, match=r"tokenizer never produces.*send the text itself"):
        await vectors(bert, (half_a_character,))


async def test_the_last_tokens_of_a_text_are_kept(
    bert: ProcessRunner, qwen3: ProcessRunner, bert_folder: Path
) -> None:
    for runner, around in ((bert, 2), (qwen3, 1)):
        short, cut = await vectors(runner, "cde", "abcde", input_limit=3 + around)
        assert np.allclose(cut, short, atol=1e-6)
        (fits,) = await vectors(runner, "abcde", input_limit=-1)
        assert np.allclose(fits, (await vectors(runner, "abcde"))[0], atol=1e-6)
    begin, *letters, end = ids_of(bert_folder, "abcde")
    ids, text = await vectors(bert, (begin, *letters, end), "de", input_limit=4)
    assert not np.allclose(ids, text, atol=1e-6)  # of ids the last ones are kept, whatever they are
    events = await ask(bert, EmbeddingRequest(model="tiny", inputs=("a" * 5000,), input_limit=-1))
    (accepted,) = (event for event in events if isinstance(event, Accepted))
    assert (accepted.prompt_tokens, accepted.cut_tokens) == (LONGEST, 5002 - LONGEST)
    with pytest.raises(InvalidValue) as caught:
        await vectors(bert, "abc", input_limit=2)
    assert caught.value.param == "truncate_prompt_tokens"
