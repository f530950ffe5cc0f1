"""Dry runs on a real worker: tokens with and without special ones, their pieces, open and closed ends."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from inference.core.events import Tokenized
from inference.core.requests import ChatRequest, CompletionRequest, Message, TokenizeRequest
from inference.pool import ProcessRunner
from tests.pool.worker_models import ask, started
from tests.tiny import SPECIAL, make_tiny_model

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    runner = await started(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))
    yield runner
    await runner.stop()


async def tokenized(runner: ProcessRunner, request: TokenizeRequest) -> Tokenized:
    (found,) = [event for event in await ask(runner, request) if isinstance(event, Tokenized)]
    return found


def text(prompt: str, adds_special: bool | None = None, *, with_pieces: bool = False) -> TokenizeRequest:
    of = CompletionRequest(model="tiny", prompts=(prompt,))
    return TokenizeRequest(of=of, adds_special=adds_special, with_pieces=with_pieces)


async def test_a_text_alone_has_no_tokens_around_it(runner: ProcessRunner) -> None:
    alone = await tokenized(runner, text("Hi", False))
    assert len(alone.tokens[0]) == 2 and alone.texts == ("Hi",)
    assert (await tokenized(runner, text("", False))).tokens == ((),)


async def test_a_special_token_in_a_text_is_one_token(runner: ProcessRunner) -> None:
    assert len((await tokenized(runner, text(SPECIAL[1], False))).tokens[0]) == 1


async def test_pieces_are_the_bytes_of_each_token_and_its_entry(runner: ProcessRunner) -> None:
    found = await tokenized(runner, text("aé", False, with_pieces=True))
    assert found.pieces == ((b"a", b"\xc3", b"\xa9"),)
    assert found.entries == (("a", "Ã", "©"),)
    assert (await tokenized(runner, text("a", False))).pieces == ()


async def test_a_conversation_may_end_before_the_answer(runner: ProcessRunner) -> None:
    messages = (Message(role="user", content="Hi"),)
    texts = [
        (
            await tokenized(
                runner, TokenizeRequest(of=ChatRequest(model="tiny", messages=messages, opens_answer=opens))
            )
        ).texts[0]
        for opens in (True, False)
    ]
    assert texts[0].startswith(texts[1])
    assert "assistant" in texts[0].removeprefix(texts[1]) and "assistant" not in texts[1]
