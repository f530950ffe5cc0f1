"""What `manage.py doctor` looks at: the machine, the settings, and one model that really answers."""

import asyncio
import importlib.metadata
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal

import msgspec
import psutil
from django.conf import settings
from django.core import checks
from msgspec import Struct

from inference import chat, runtime
from inference.blas import best_blas
from inference.errors import ServerError
from inference.requests import ChatRequest, Message, Sampling
from inference.types import Accepted, Finished, ModelCard, Principal, TextDelta

PATIENCE_S = 120.0  # for loading and answering together
_TOKENS = 128
_GB = 10**9
_LEAST_DISK = 5 * _GB
_PANICS = Path("/Library/Logs/DiagnosticReports")
_RECENT_S = 30 * 86_400
_PACKAGES = ("mlx", "mlx-lm", "transformers", "django", "django-ninja", "daphne")
State = Literal["good", "look", "wrong"]


class Looked(Struct, frozen=True, kw_only=True):
    """One thing that was looked at; `advice` says what to do where it is not good."""

    about: str
    text: str
    state: State = "good"
    advice: str = ""


def machine() -> Iterator[Looked]:
    """All that can be seen without a model."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    yield Looked(about="machine", text=f"{platform.platform()}, {platform.machine()}, {cores} cores")
    yield Looked(about="versions", text=f"Python {platform.python_version()}, {_versions()}")
    yield _memory()
    yield _blas()
    yield _disk()
    yield from _panics()
    for found in checks.run_checks():
        state: State = "wrong" if found.is_serious() else "look"
        yield Looked(about="settings", text=str(found.msg), state=state, advice=str(found.hint or ""))


def model() -> Looked:
    """The smallest chat model that can be served answers, with figures; never longer than PATIENCE_S."""
    cards = [card for card in runtime.catalog().scan() if card.is_servable and card.kind == "chat"]
    if not cards:
        advice = "Run `manage.py serve` once for the starter model, or `manage.py pull OWNER/NAME`."
        return Looked(about="model", text="There is no model to try.", state="look", advice=advice)
    smallest = min(cards, key=lambda card: card.resident_bytes)
    try:
        return asyncio.run(asyncio.wait_for(_tried(smallest), PATIENCE_S))
    except TimeoutError:
        text = f"{smallest.id} did not answer within {PATIENCE_S:.0f} s."
    except ServerError as error:
        text = f"{smallest.id} did not answer: {error.message}"
    return Looked(about="model", text=text, state="wrong", advice="The server's log says more.")


async def _tried(card: ModelCard) -> Looked:
    asked = (Message(role="user", content="Tell me a story about a fox."),)
    request = ChatRequest(
        model=card.id,
        messages=asked,
        max_tokens=min(_TOKENS, card.context_length // 2),
        sampling=Sampling(temperature=0),
        ignores_end=True,
    )
    began, first, accepted = time.perf_counter(), 0.0, 0.0
    try:
        async with aclosing(chat.stream(request, Principal(kind="local"))) as events:
            async for event in events:
                if isinstance(event, Accepted):
                    accepted = time.perf_counter()
                elif isinstance(event, TextDelta):
                    first = first or time.perf_counter()
                elif isinstance(event, Finished):
                    return _figures(card, event, loaded_s=accepted - began, first_s=first - accepted)
    finally:
        await runtime.pool().close()
    return Looked(about="model", text=f"{card.id} ended without an end.", state="wrong")


def _figures(card: ModelCard, finished: Finished, *, loaded_s: float, first_s: float) -> Looked:
    tokens, decode_s = finished.usage.completion_tokens, finished.timings.decode_s
    rate = f"{tokens / decode_s:.1f} tokens/s" if decode_s else "no rate"
    times = f"loaded in {loaded_s:.1f} s, first token after {first_s:.2f} s"
    return Looked(about="model", text=f"{card.id}: {times}, {tokens} tokens at {rate}")


def _versions() -> str:
    known = []
    for name in _PACKAGES:
        try:
            known.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            known.append(f"no {name}")
    return ", ".join(known)


def _memory() -> Looked:
    memory = psutil.virtual_memory()
    limit = settings.CONFIG.memory_limit_bytes
    text = (
        f"{memory.total / _GB:.1f} GB, {memory.available / _GB:.1f} GB free now; models may take "
        f"{limit / _GB:.1f} GB"
    )
    if limit <= memory.total:
        return Looked(about="memory", text=text)
    return Looked(about="memory", text=text, state="wrong", advice="Lower MLX_SERVER_MEMORY_LIMIT.")


def _blas() -> Looked:
    found = best_blas(settings.CONFIG.blas)
    return Looked(about="BLAS", text=f"{found.name}{' at ' if found.path else ''}{found.path}")


def _disk() -> Looked:
    folder = settings.CONFIG.models_path
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / _GB:.1f} GB free for models"
    if free >= _LEAST_DISK:
        return Looked(about="disk", text=text)
    return Looked(about="disk", text=text, state="look", advice="Make room, or set MLX_SERVER_MODELS_DIR.")


def _panics() -> Iterator[Looked]:
    """Kernel panics of the last month: wired memory under load has caused them (ml-explore/mlx#3186)."""
    if platform.system() != "Darwin" or not _PANICS.is_dir():
        return
    recent = [file for file in _PANICS.glob("*.panic") if time.time() - file.stat().st_mtime < _RECENT_S]
    if recent:
        advice = "Leave MLX_SERVER_WIRED_LIMIT at 0 and lower MLX_SERVER_MEMORY_LIMIT."
        yield Looked(about="panics", text=f"{len(recent)} in the last month", state="look", advice=advice)


def whole(looked: list[Looked]) -> dict[str, Any]:
    """The same as plain data."""
    worst = "wrong" if any(one.state == "wrong" for one in looked) else "good"
    return {"state": worst, "looked_at": msgspec.to_builtins(looked)}
