"""Every way a worker can end, with real workers: the errors of its streams, and what its owner sees."""

import asyncio
import os
import signal
from contextlib import aclosing, suppress
from pathlib import Path

import msgspec
import psutil
import pytest

from inference.core.errors import ModelLoadFailed, ShuttingDown, TemplateFailed, WorkerDied
from inference.core.events import Event, TextDelta
from inference.core.requests import CompletionRequest
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.nightly import nightly, of_each_kind
from tests.pool.worker_models import OPTIONS, ask, chat, endless_chat, started
from tests.tiny import make_tiny_model, never_ends

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=8192)


def send(runner: ProcessRunner, number: int) -> None:
    psutil.Process(runner.pid).send_signal(number)


async def test_a_killed_worker_ends_its_streams_with_one_error(folder: Path) -> None:
    runner = await started(folder)
    asking = [asyncio.ensure_future(ask(runner, endless_chat(f"{i}"))) for i in range(3)]
    async with aclosing(runner.submit(endless_chat())) as events:
        await anext(events)
        os.kill(runner.pid or 0, signal.SIGKILL)
        with pytest.raises(WorkerDied):
            async for _ in events:
                pass
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(result) for result in results] == [WorkerDied] * 3
    async with asyncio.timeout(5):
        await runner.wait_ended()
    with pytest.raises(WorkerDied):
        await ask(runner, chat())
    await runner.stop()


async def test_stopping_ends_the_process_and_its_streams(folder: Path) -> None:
    runner = await started(folder)
    process = psutil.Process(runner.pid)
    async with aclosing(runner.submit(endless_chat())) as events:
        await anext(events)
        await runner.stop()
        with pytest.raises(ShuttingDown):
            async for _ in events:
                pass
    assert not process.is_running()


@nightly
async def test_a_frozen_worker_is_killed_in_the_end(folder: Path) -> None:
    runner = await started(folder)
    process = psutil.Process(runner.pid)
    process.suspend()
    await runner.stop()
    assert not process.is_running()


async def test_a_worker_that_dies_while_loading_fails_the_load(folder: Path) -> None:
    runner = ProcessRunner(OPTIONS)
    await runner.warm_up()
    os.kill(runner.pid or 0, signal.SIGSTOP)
    loading = asyncio.ensure_future(runner.load(card(path=str(folder)), lambda progress: None))
    await asyncio.sleep(0)
    os.kill(runner.pid or 0, signal.SIGKILL)
    with pytest.raises(ModelLoadFailed):
        await loading
    await runner.stop()


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_a_hostile_template_costs_its_own_request_only(tmp_path: Path) -> None:
    hostile = {
        "loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "fill": "{{ messages[0]['content'] * 10**10 }}",
    }
    cases = "".join(
        f"{{% if messages[0]['content'] == '{name}' %}}{hostile[name]}{{% endif %}}" for name in hostile
    )
    folder = never_ends(
        make_tiny_model(tmp_path / "hostile", template=cases + "{{ messages[0]['content'] }}")
    )
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, prepare_limit_s=16))
    await runner.load(card(path=str(folder)), lambda progress: None)
    alone = await ask(runner, chat(max_tokens=200))
    async with aclosing(runner.submit(chat(max_tokens=200))) as events:
        beside = [await anext(events)]
        for name, reason in (("loop", "too long"), ("fill", "too much memory")):
            with pytest.raises(TemplateFailed, match=reason):
                await ask(runner, chat(name))
        beside += [event async for event in events]
    assert said(beside) == said(alone) != ""
    await runner.stop()


@nightly
async def test_a_prompt_that_takes_too_long_ends_its_worker(tmp_path: Path) -> None:
    context = 3_000_000
    folder = make_tiny_model(tmp_path / "long", context=context)
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, prepare_limit_s=0.5))
    await runner.load(card(path=str(folder), context_length=context), lambda progress: None)
    with pytest.raises(WorkerDied, match="a prompt took too long to prepare"):
        # Threads of a tokenizer cannot be ended.
        await ask(runner, CompletionRequest(model="tiny", prompts=("a b " * 700_000,)))
    assert "code 75" in runner.end_reason and runner.death_reason == "prompt_timeout"
    await runner.stop()


async def test_only_a_worker_that_hangs_is_killed_and_its_streams_fail(folder: Path) -> None:
    """Neither an idle one is, nor one whose answer nobody reads yet."""
    runner = await started(folder, stuck_after_s=3)
    # A heartbeat comes once a second; an idle worker does no other thing for longer than the limit.
    assert await lives_for(runner, 5)
    async with aclosing(runner.submit(chat(max_tokens=5))) as events:
        await anext(events)
        assert await lives_for(runner, 5)
        assert len([event async for event in events]) > 1
    async with aclosing(runner.submit(endless_chat())) as events:
        await anext(events)
        send(runner, signal.SIGSTOP)
        with pytest.raises(WorkerDied, match="no progress for 3 s") as answer:
            async for _ in events:
                pass
    assert "Try again" in answer.value.message
    assert runner.end_reason == "it made no progress for 3 s while 1 request ran"
    assert runner.death_reason == "stuck"
    await runner.stop()


async def lives_for(runner: ProcessRunner, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await runner.wait_ended()
    except TimeoutError:
        return True
    return False


async def test_a_loader_that_gives_no_sign_of_life_is_killed(folder: Path) -> None:
    runner = ProcessRunner(OPTIONS, stuck_after_s=1)
    await runner.warm_up()
    send(runner, signal.SIGSTOP)
    with pytest.raises(ModelLoadFailed, match="not respond for 1 s") as answer:
        await runner.load(card(path=str(folder)), lambda progress: None)
    assert answer.value.kind == "died"
    await runner.stop()


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGKILL, "out_of_memory"), (signal.SIGTERM, "died")])
async def test_a_loader_that_the_system_killed_took_too_much_memory(
    folder: Path, number: int, kind: str
) -> None:
    runner = ProcessRunner(OPTIONS)
    await runner.warm_up()
    send(runner, signal.SIGSTOP)
    loading = asyncio.create_task(runner.load(card(path=str(folder)), lambda progress: None))
    await asyncio.sleep(0)
    send(runner, number)
    with suppress(psutil.NoSuchProcess):
        send(runner, signal.SIGCONT)
    with pytest.raises(ModelLoadFailed) as answer:
        await loading
    assert answer.value.kind == kind
    await runner.stop()


@pytest.mark.parametrize(
    "number", of_each_kind([signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV], [signal.SIGSEGV])
)
async def test_a_death_by_signal_is_named(folder: Path, number: int) -> None:
    runner = await started(folder)
    send(runner, number)
    await runner.wait_ended()
    assert f"killed by signal {number:d} (" in runner.end_reason
    assert runner.death_reason == ("killed" if number == signal.SIGKILL else "crashed")
    with pytest.raises(WorkerDied, match=f"killed by signal {number:d}"):
        await ask(runner, chat())
    await runner.stop()
