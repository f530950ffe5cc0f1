"""Pictures across the process boundary: each request says what mlx-vlm says to it alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from inference.core.errors import ServerError
from inference.core.events import Finished, Progress, Tokenized
from inference.core.requests import PICTURE, ChatRequest, Message, Sampling, TokenizeRequest
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.nightly import nightly
from tests.pool.worker_models import OPTIONS
from tests.tiny_vision import NEEDS_MLX_VLM, drawn, make_tiny_pixtral, picture
from tests.worker.vision.mlx_vlm_answers import MlxVlm, Part

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM, pytest.mark.asyncio(loop_scope="module")]
COUNT = 20
WIDE, TALL = drawn(300, 100, seed=1), drawn(100, 220, seed=2)
OTHER = drawn(300, 100, seed=3)  # as large as the wide one


class Answer(NamedTuple):
    tokens: list[int]
    prompt_tokens: int
    cached: int


def chat(*parts: Part, **fields: Any) -> ChatRequest:
    content = "".join(part if isinstance(part, str) else PICTURE for part in parts)
    pictures = tuple(picture(part) for part in parts if isinstance(part, Image.Image))
    fields = {"max_tokens": COUNT, "ignores_end": True, "returns_token_ids": True} | fields
    message = Message(role="user", content=content, pictures=pictures)
    return ChatRequest(model="tiny", messages=(message,), sampling=Sampling(temperature=0), **fields)


async def answer(runner: ProcessRunner, request: ChatRequest, owner: str = "user:a") -> Answer:
    tokens: list[int] = []
    async with aclosing(runner.submit(request, owner)) as events:
        async for event in events:
            tokens += getattr(event, "ids", ())
            if isinstance(event, Finished):
                return Answer(tokens, event.usage.prompt_tokens, event.usage.cached_tokens)
    raise AssertionError("no end")


async def refusal(runner: ProcessRunner, request: ChatRequest) -> ServerError:
    with pytest.raises(ServerError) as raised:
        await answer(runner, request)
    return raised.value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_pixtral(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> MlxVlm:
    return MlxVlm(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(folder: Path) -> AsyncIterator[ProcessRunner]:
    # Chunks of 16 tokens cut through the pictures.
    options = msgspec.structs.replace(OPTIONS, prefix_cache_bytes=10**8, prefill_step=16)
    runner = ProcessRunner(options)
    loaded = await runner.load(card(path=str(folder)), lambda progress: None)
    assert loaded.sees and not [one for one in loaded.findings if one.about == "pictures"]
    yield runner
    await runner.stop()


async def test_an_answer_alone_and_beside_others_is_that_of_mlx_vlm(
    runner: ProcessRunner, theirs: MlxVlm
) -> None:
    asked: list[Sequence[Part]] = [
        ["Alone: ", WIDE],
        ["A wide one ", WIDE, " and a tall one ", TALL, ". Which?"],
        [TALL, "first"],
        ["No picture at all."],
    ]
    alone = await answer(runner, chat(*asked[0]))
    assert alone.tokens == theirs.greedy(COUNT, ("user", asked[0]))
    answers = await asyncio.gather(*(answer(runner, chat(*parts), "user:b") for parts in asked))
    for got, parts in zip(answers, asked, strict=True):
        assert got.tokens == theirs.greedy(COUNT, ("user", parts)), parts
        assert got.prompt_tokens == len(theirs.processed(("user", parts))["input_ids"][0])


async def test_the_same_picture_is_found_again_and_another_one_never(
    runner: ProcessRunner, theirs: MlxVlm
) -> None:
    first = await answer(runner, chat("Prefix: ", WIDE, " what?"), "user:c")
    again = await answer(runner, chat("Prefix: ", WIDE, " what?"), "user:c")
    assert again.cached == again.prompt_tokens - 1 and again.tokens == first.tokens
    other = await answer(runner, chat("Prefix: ", OTHER, " what?"), "user:c")
    assert other.prompt_tokens == first.prompt_tokens and other.cached < 20
    assert other.tokens == theirs.greedy(COUNT, ("user", ["Prefix: ", OTHER, " what?"]))
    assert other.tokens != first.tokens
    longer = await answer(runner, chat("Prefix: ", WIDE, " what? ", TALL), "user:c")
    assert longer.cached > 40
    assert longer.tokens == theirs.greedy(COUNT, ("user", ["Prefix: ", WIDE, " what? ", TALL]))
    foreign = await answer(runner, chat("Prefix: ", WIDE, " what?"), "user:d")
    assert foreign.cached == 0 and foreign.tokens == first.tokens


async def test_copies_share_their_picture(runner: ProcessRunner, theirs: MlxVlm) -> None:
    tokens: dict[int, list[int]] = {}
    async with aclosing(runner.submit(chat("Copies ", TALL, n=3), "user:e")) as events:
        async for event in events:
            tokens.setdefault(getattr(event, "index", 0), []).extend(getattr(event, "ids", ()))
    assert list(tokens.values()) == [theirs.greedy(COUNT, ("user", ["Copies ", TALL]))] * 3


async def test_a_prompt_cancelled_inside_its_picture_leaves_nothing_wrong(
    runner: ProcessRunner, theirs: MlxVlm
) -> None:
    parts = ["Cancelled ", WIDE, TALL, " x" * 400]
    async with aclosing(runner.submit(chat(*parts), "user:f")) as events:
        async for event in events:
            if isinstance(event, Progress) and event.phase == "prefill":
                break
    got = await answer(runner, chat("Cancelled ", WIDE, TALL, " y"), "user:f")
    assert got.tokens == theirs.greedy(COUNT, ("user", ["Cancelled ", WIDE, TALL, " y"]))


async def test_scored_prompts_and_exact_seeds_see(runner: ProcessRunner, theirs: MlxVlm) -> None:
    parts = ["Scored ", TALL, " so"]
    got = await answer(runner, chat(*parts, prompt_logprobs=0, logprobs=0), "user:g")
    assert got.tokens == theirs.greedy(COUNT, ("user", parts))


async def test_a_broken_picture_is_its_own_requests_refusal_alone(
    runner: ProcessRunner, theirs: MlxVlm
) -> None:
    whole = chat("Broken ", drawn(300, 100, seed=9))  # one that was never seen whole
    file = whole.messages[0].pictures[0]
    cut = msgspec.structs.replace(file, data=file.data[: len(file.data) // 2])
    lie = msgspec.structs.replace(file, width=10)
    beside = asyncio.create_task(answer(runner, chat("Beside ", TALL)))
    bad = await asyncio.gather(
        *(
            refusal(
                runner,
                msgspec.structs.replace(
                    whole, messages=(msgspec.structs.replace(whole.messages[0], pictures=(one,)),)
                ),
            )
            for one in (cut, lie)
        ),
    )
    assert (await beside).tokens == theirs.greedy(COUNT, ("user", ["Beside ", TALL]))
    assert [error.code for error in bad] == ["image_parse_error"] * 2
    assert {error.param for error in bad} == {"messages.0.content"}
    cut_short = await refusal(runner, chat("Cut ", WIDE, prompt_limit=10))
    assert cut_short.code == "unsupported_parameter"


async def test_a_dry_run_counts_the_tokens_of_pictures(runner: ProcessRunner, theirs: MlxVlm) -> None:
    request = TokenizeRequest(of=chat("Count ", WIDE))
    async with aclosing(runner.submit(request)) as events:
        found = [event async for event in events]
    (tokenized,) = [event for event in found if isinstance(event, Tokenized)]
    assert list(tokenized.tokens[0]) == theirs.processed(("user", ["Count ", WIDE]))["input_ids"][0].tolist()


@nightly
async def test_a_restart_finds_the_prefix_of_a_picture_on_disk(
    folder: Path, theirs: MlxVlm, tmp_path: Path
) -> None:
    options = msgspec.structs.replace(
        OPTIONS, prefix_cache_bytes=10**8, prefix_disk_path=str(tmp_path), prefix_disk_bytes=10**9
    )
    request = chat("Disk ", WIDE, " and ", TALL)
    answers = []
    for _ in range(2):
        runner = ProcessRunner(options)
        await runner.load(card(path=str(folder)), lambda progress: None)
        answers.append(await answer(runner, request))
        if len(answers) == 2:
            answers.append(await answer(runner, chat("Disk ", OTHER, " and ", TALL)))
        await runner.stop()
    first, second, other = answers
    assert first.tokens == second.tokens == theirs.greedy(COUNT, ("user", ["Disk ", WIDE, " and ", TALL]))
    assert (first.cached, second.cached) == (0, second.prompt_tokens - 1)
    assert other.cached < 20
    assert other.tokens == theirs.greedy(COUNT, ("user", ["Disk ", OTHER, " and ", TALL]))


async def test_a_model_without_its_vision_answers_texts_and_refuses_pictures(tmp_path: Path) -> None:
    folder = make_tiny_pixtral(tmp_path / "blind")
    preprocessing = folder / "preprocessor_config.json"
    preprocessing.write_text('{"size": "as it likes"}')
    runner = ProcessRunner(OPTIONS)
    loaded = await runner.load(card(path=str(folder)), lambda progress: None)
    assert not loaded.sees
    assert [one.light for one in loaded.findings if one.about == "pictures"] == ["amber"]
    assert len((await answer(runner, chat("Only words"))).tokens) == COUNT
    assert (await refusal(runner, chat("Look ", WIDE))).code == "unsupported_parameter"
    await runner.stop()
