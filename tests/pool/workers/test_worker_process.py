"""ProcessRunner with real workers and a tiny real model: the whole engine, without a site around it."""

import asyncio
import gc
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import psutil
import pytest
import pytest_asyncio

from inference.core.blas import best_blas
from inference.core.cpu_tuning import CpuTuning, ShapeClass
from inference.core.errors import ContextLengthExceeded, ModelLoadFailed, ServerError
from inference.core.events import Accepted, Ended, Event, Finished, Progress, TextDelta
from inference.core.load_progress import LoadProgress
from inference.core.requests import CompletionRequest, Sampling, TokenRules
from inference.pool import ProcessRunner
from inference.pool.workers import worker_process
from tests import start_faults
from tests.fakes import card
from tests.nightly import nightly, of_each_kind
from tests.pool.worker_models import OPTIONS, ask, chat, started
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def finish(events: list[Event]) -> Finished:
    (finished,) = [event for event in events if isinstance(event, Finished)]
    return finished


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=512)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(folder: Path) -> AsyncIterator[ProcessRunner]:
    runner = await started(folder)
    yield runner
    await runner.stop()


async def test_a_warm_worker_loads_at_once_and_reports_its_facts(folder: Path) -> None:
    runner = ProcessRunner(OPTIONS)
    reports: list[LoadProgress] = []
    await runner.warm_up()
    loaded = await runner.load(card(path=str(folder)), reports.append)
    assert (loaded.context_length, loaded.adapter, reports[-1].percent) == (512, "llama3", 100)
    assert list(dict.fromkeys(one.phase for one in reports)) == ["starting", "weights", "verifying"]
    assert set(loaded.stop_tokens) == {"<|end_of_text|>", "<|eot_id|>", "<|eom_id|>"}
    assert loaded.memory.active > 0
    assert loaded.device == "gpu" or loaded.blas == best_blas().name
    # The process that renders its templates is measured, too.
    helpers = sum(child.memory_info().rss for child in psutil.Process(runner.pid).children())
    assert helpers > 10**7 and loaded.memory.helpers == pytest.approx(helpers, rel=0.3)
    await runner.stop()


async def test_events_come_in_order_and_end_once(runner: ProcessRunner) -> None:
    events = await ask(runner, chat())
    assert isinstance(events[0], Accepted)
    assert isinstance(events[-1], Finished)
    assert [type(event) for event in events].count(Finished) == 1
    assert any(isinstance(event, Progress) and event.phase == "prefill" for event in events)


async def test_usage_counts_what_was_computed(runner: ProcessRunner) -> None:
    events = await ask(runner, chat(max_tokens=7))
    accepted = next(event for event in events if isinstance(event, Accepted))
    assert finish(events).usage.completion_tokens == 7
    assert finish(events).usage.prompt_tokens == accepted.prompt_tokens
    assert Ended(reason="length") in events


async def test_a_batch_gives_each_request_its_own_answer(runner: ProcessRunner) -> None:
    prompts = [f"prompt number {i}" * (1 + i) for i in range(6)]
    alone = [text(await ask(runner, chat(prompt))) for prompt in prompts]
    together = await asyncio.gather(*(ask(runner, chat(prompt)) for prompt in prompts))
    assert [text(events) for events in together] == alone
    assert len(set(alone)) > 1


async def test_a_seed_gives_the_same_text_alone_and_in_a_batch(runner: ProcessRunner) -> None:
    seeded = chat(sampling=Sampling(temperature=1.0, top_p=0.9, seed=5))
    alone = text(await ask(runner, seeded))
    others = [chat(f"other {i}", sampling=Sampling(temperature=1.2)) for i in range(4)]
    together, *_ = await asyncio.gather(ask(runner, seeded), *(ask(runner, other) for other in others))
    assert text(together) == alone


async def test_more_requests_than_the_batch_holds_are_all_answered(runner: ProcessRunner) -> None:
    answers = await asyncio.gather(*(ask(runner, chat(f"{i}", max_tokens=3)) for i in range(20)))
    assert all(0 < finish(events).usage.completion_tokens <= 3 for events in answers)


async def test_a_stop_string_ends_the_answer_before_it(runner: ProcessRunner) -> None:
    whole = text(await ask(runner, chat(max_tokens=30)))
    cut = await ask(runner, chat(max_tokens=30, stop=(whole[4:6],)))
    assert text(cut) == whole[: whole.index(whole[4:6])]
    assert Ended(reason="stop", stop=whole[4:6]) in cut


async def test_a_completion_continues_its_raw_prompt_and_echoes_it(runner: ProcessRunner) -> None:
    request = CompletionRequest(
        model="tiny", prompts=("Once",), echo=True, max_tokens=4, sampling=Sampling(temperature=0)
    )
    events = await ask(runner, request)
    assert text(events).startswith("Once")
    assert finish(events).usage.prompt_tokens == 4


@pytest.mark.parametrize("over", [1, 500])
async def test_a_prompt_beyond_the_context_is_refused_with_both_counts(
    runner: ProcessRunner, over: int
) -> None:
    with pytest.raises(ContextLengthExceeded) as refusal:
        await ask(runner, CompletionRequest(model="tiny", prompts=("x" * (511 + over),), max_tokens=1))
    assert "512" in refusal.value.message
    assert str(511 + over) in refusal.value.message


async def test_a_prompt_far_beyond_it_is_refused_by_its_size_alone(runner: ProcessRunner) -> None:
    with pytest.raises(ContextLengthExceeded, match="prompt is too long: it has at least"):
        await ask(runner, CompletionRequest(model="tiny", prompts=("x" * 100_000,), max_tokens=1))


async def test_a_prompt_that_just_fits_is_served(runner: ProcessRunner) -> None:
    events = await ask(runner, CompletionRequest(model="tiny", prompts=("x" * 511,), max_tokens=1))
    assert finish(events).usage.completion_tokens == 1


async def test_no_answer_is_longer_than_the_operator_allows(folder: Path) -> None:
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, max_output_tokens=20))
    await runner.load(card(path=str(folder)), lambda progress: None)
    found = {}
    for wanted in (None, 20, 21, 10**6):
        events = await ask(runner, chat(max_tokens=wanted, rules=TokenRules(min_tokens=15), ignores_end=True))
        (accepted,) = [event for event in events if isinstance(event, Accepted)]
        found[wanted] = (finish(events).usage.completion_tokens, accepted.answer_limit)
    await runner.stop()
    assert set(found.values()) == {(20, 20)}, found


async def test_an_answer_without_a_length_may_use_what_the_context_leaves(runner: ProcessRunner) -> None:
    events = await ask(runner, chat(max_tokens=None, ignores_end=True))
    usage = finish(events).usage
    assert usage.prompt_tokens + usage.completion_tokens == 512


async def test_an_empty_prompt_is_refused(runner: ProcessRunner) -> None:
    with pytest.raises(ServerError) as refusal:
        await ask(runner, CompletionRequest(model="tiny", prompts=("",), max_tokens=1))
    assert refusal.value.param == "prompt"


async def test_a_reader_that_leaves_during_prefill_disturbs_nobody(runner: ProcessRunner) -> None:
    canary = asyncio.ensure_future(ask(runner, chat("canary", max_tokens=60)))
    for _ in range(10):
        async with aclosing(runner.submit(chat("y" * 300))) as events:
            await anext(events)
    alone = text(await ask(runner, chat("canary", max_tokens=60)))
    assert text(await canary) == alone


@nightly
async def test_a_template_that_never_ends_fails_the_load(tmp_path: Path) -> None:
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    folder = make_tiny_model(tmp_path / "endless", template=endless)
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, prepare_limit_s=0.5))
    with pytest.raises(ModelLoadFailed, match="does not terminate") as answer:
        await runner.load(card(path=str(folder)), lambda progress: None)
    assert answer.value.kind == "refused"
    await runner.stop()


@pytest.mark.skipif(
    sys.platform == "darwin" or bool(shutil.which("nvidia-smi")), reason="this machine has a GPU"
)
async def test_a_gpu_that_is_not_there_is_reported(folder: Path) -> None:
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, device="gpu"))
    with pytest.raises(ModelLoadFailed, match="no GPU"):
        await runner.load(card(path=str(folder)), lambda progress: None)
    await runner.stop()


BROKEN = [
    ("model.safetensors", b"\xff" * 100),
    ("model.safetensors", b""),
    ("config.json", b'{"model_type": "../../x"}'),
    ("config.json", b'{"model_type": "llama", "model_file": "evil.py"}'),
    ("config.json", b"not json"),
    ("tokenizer.json", b"{}"),
    ("tokenizer_config.json", b'{"auto_map": {"AutoTokenizer": "evil.T"}}'),
]


# The gate has the other kinds of damage on a whole site, in tests/e2e/test_corrupt_models.py.
@pytest.mark.parametrize(("file", "content"), of_each_kind(BROKEN, [BROKEN[0], BROKEN[6]]))
async def test_a_broken_model_is_a_failed_load_and_nothing_of_it_runs(
    tmp_path: Path, file: str, content: bytes
) -> None:
    folder = make_tiny_model(tmp_path / "broken")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (folder / file).write_bytes(content)
    runner = ProcessRunner(OPTIONS)
    with pytest.raises(ModelLoadFailed) as refusal:
        await runner.load(card(path=str(folder)), lambda progress: None)
    await runner.stop()
    assert str(tmp_path) not in refusal.value.message
    assert refusal.value.kind in {"files", "refused"}
    assert not (tmp_path / "ran").exists()


async def test_a_worker_multiplies_as_it_was_tuned(folder: Path) -> None:
    """Kernels and threads are in its environment, the layouts in the frame that loads the model."""
    tuning = CpuTuning(threads=1, by_row=(ShapeClass.OUTPUT,))
    runner = ProcessRunner(OPTIONS, tune=lambda: tuning)
    try:
        await runner.load(card(path=str(folder)), lambda progress: None)
        assert runner.pid
        if sys.platform == "linux":
            assert psutil.Process(runner.pid).environ()["OPENBLAS_NUM_THREADS"] == "1"
        assert runner._options.by_row == (ShapeClass.OUTPUT,)
    finally:
        await runner.stop()


async def test_one_that_the_system_cannot_start_fails_its_load_and_leaves_no_other_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start_faults.without_program(monkeypatch)
    monkeypatch.setattr(worker_process.logger, "disabled", True)  # a record would keep the runner
    runner = ProcessRunner(OPTIONS)
    with pytest.raises(ModelLoadFailed, match="could not be started"):
        await runner.load(card(path=str(folder)), lambda progress: None)
    assert not await runner.warm_up()
    await runner.stop()
    del runner
    gc.collect()
    assert "never retrieved" not in caplog.text
