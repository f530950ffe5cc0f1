"""MLX computes on one thread of a worker: its arrays and streams belong to the thread that made them."""

import asyncio
import re
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from inference.core.requests import CompletionRequest, Lora, Request, Sampling, TokenizeRequest
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.loras import Q, layers, write_mlx
from tests.pool.worker_models import OPTIONS, ask, chat, endless_chat
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.mlx
# Python imports a module of this name when it starts. This one notes the thread of each function of MLX.
RECORDER = """
import sys
if "inference.worker" in sys.orig_argv:
    import threading
    import mlx.core as mx
    noted = set()
    def note(name):
        call = (threading.current_thread().name, name)
        if call not in noted:
            noted.add(call)
            with open({path!r}, "a") as file:
                file.write(chr(9).join(call) + chr(10))
    def noting(name, function):
        def call(*args, **options):
            note(name)
            return function(*args, **options)
        call.__name__ = name
        return call
    for module in (mx, mx.fast, mx.random, mx.linalg):
        for name in dir(module):
            function = getattr(module, name)
            if type(function).__name__ == "nb_func" and not name.startswith("_"):
                setattr(module, name, noting(name, function))
"""
# What other threads call: of evaluated arrays and of files, never a part of a model's forward pass.
ALLOWED = {
    "MainThread": {"get_active_memory", "get_peak_memory", "get_cache_memory", "default_device"},
    "lora": {"load", "pad", "contiguous", "eval", "isfinite"},  # reads the files of an adapter
    "prefix disk read": {"load", "eval"},
    "prefix disk write": {"save_safetensors"},
}
FORWARD = {"rms_norm", "rope", "scaled_dot_product_attention"}


async def use(folder: Path, disk: Path) -> None:
    """All kinds of requests, beside each other and cancelled, with what other threads of a worker do."""
    options = msgspec.structs.replace(
        OPTIONS, prefix_cache_bytes=10**6, prefix_disk_path=str(disk), prefix_disk_bytes=10**8
    )
    runner = ProcessRunner(options)
    lora = Lora(name="a", path=str(folder / "adapters" / "a"), version="1")
    scored = CompletionRequest(model="tiny", prompts=("one two three",), max_tokens=2, prompt_logprobs=0)
    await runner.load(card(path=str(folder)), lambda progress: None)
    try:
        requests: list[Request] = [
            chat("A prompt that is long enough to be kept. " * 8),
            chat("drawn", sampling=Sampling(temperature=1.0, seed=3), n=2),
            chat("adapted", lora=lora),
            scored,
            TokenizeRequest(of=chat("count")),
        ]
        await asyncio.gather(*(ask(runner, request) for request in [*requests, *requests]))
        async with aclosing(runner.submit(endless_chat())) as events:
            async for _ in events:
                break
        runner.shed(0)
        await ask(runner, requests[0])
    finally:
        await runner.stop()


async def test_only_the_engine_computes_once_a_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = tmp_path / "noted"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(RECORDER.format(path=str(noted)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    folder = make_tiny_model(tmp_path / "models" / "tiny", context=2048)
    write_mlx(folder / "adapters" / "a", layers(Q), seed=1)
    await use(folder, tmp_path / "prefixes")
    calls: dict[str, set[str]] = {}
    for line in noted.read_text().splitlines():
        thread, function = line.split("\t")
        calls.setdefault(re.sub(r"_\d+$", "", thread), set()).add(function)
    assert calls.pop("engine") >= FORWARD
    assert calls.pop("load") >= FORWARD  # it verifies the model, and ends before the engine begins
    others = {thread: called - ALLOWED.get(thread, set()) for thread, called in calls.items()}
    assert not any(others.values()), others
    assert {"MainThread", "lora", "prefix disk write"} <= calls.keys()  # the recorder hears all of them
