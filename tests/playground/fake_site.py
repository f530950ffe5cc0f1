"""The whole site with scripted models: `python -m tests.playground.fake_site PORT [MODELS]` serves it.

MODELS is "pictured" for models with the names of real ones, as in the pictures of the documentation, and
"seeing" for one that reads text only, one that sees, and one that sees and is not loaded.
"""

import asyncio
import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

import tests.environment  # noqa: F401 - the settings every test runs under

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlxsite.settings")

from mlxsite.asgi import application as site  # noqa: E402, I001 - settings first, and it sets Django up

from django.conf import settings  # noqa: E402

from inference.serving import runtime  # noqa: E402
from inference.serving.recording.capture_switch import SWITCH  # noqa: E402
from inference.core.requests import Sampling  # noqa: E402
from tests import vision_extra  # noqa: E402
from tests.fakes import GB, FakeCatalog, card, fake_pool  # noqa: E402
from tests.playground.screenshots.models import CARDS as PICTURED  # noqa: E402
from tests.playground.scripted_downloads import ScriptedDownloads  # noqa: E402
from tests.playground.scripts import ScriptedRunner  # noqa: E402

SCRIPTED = (
    card("scripted-model", resident_bytes=538_000_000, own_sampling=Sampling(temperature=0.6)),
    card("mlx-community/Qwen3-8B-4bit", family="qwen3", context_length=40_960, resident_bytes=int(4.6 * GB)),
    card("slow-loader", family="mistral", context_length=32_768, resident_bytes=GB),
    card("endless-loader", family="gemma3", context_length=131_072, resident_bytes=2 * GB),
    card("broken-model", family="phi3", context_length=4096, resident_bytes=GB),
    card("hidden-model", problem="config.json is missing"),
)
EYES = {"sees": True, "picture_tokens": 256, "picture_token_pixels": 28}
SEEING = (
    card("text-model"),
    card("eyes-8b", family="gemma3", **EYES),
    card("mlx-community/wide-eyes-27b", family="mistral3", **EYES),
)
gc.freeze()
gc.enable()  # which tests.environment has stopped

IS_PICTURED = sys.argv[2:] == ["pictured"]
CARDS = {"pictured": PICTURED, "seeing": SEEING}.get("".join(sys.argv[2:]), SCRIPTED)
# Those in a state worth seeing: ready, loading and failed, or both ready.
LOADED = [card.id for card in ((CARDS[0], CARDS[3], CARDS[4]) if CARDS is SCRIPTED else CARDS[:2])]
vision_extra.install(pytest.MonkeyPatch(), Path(tempfile.mkdtemp(prefix="mlxsite-vision-")))

ACCOUNTS = ("ann", "beth", "clara", "dora", "erin")

CAPTURE = "/of-the-tests/capture/"
DOWNLOAD = "/of-the-tests/download/"
TITLES = "/of-the-tests/titles/"

MEMORY = (48 if IS_PICTURED else 10) * GB
_runners = [ScriptedRunner() for _ in range(50)]
_pool = fake_pool(_runners, *CARDS, load_timeout_s=3600, limit_bytes=MEMORY)
_serving = runtime.use_pool(_pool, models=FakeCatalog(*CARDS))  # type: ignore[arg-type]
_serving.__enter__()
_downloads = ScriptedDownloads()
_downloading = runtime.use_downloads(_downloads)  # type: ignore[arg-type]
_downloading.__enter__()
_prepared: asyncio.Task[None] | None = None


async def _prepare() -> None:
    for model_id in LOADED:
        await _pool.load(model_id)


async def _capture(seconds: float, send: Any) -> None:
    """Start a capture of this length, as the admin's page does."""
    SWITCH.set(time.time() + seconds if seconds else 0)
    await _send_nothing(send)


async def _write_titles(is_on: bool, send: Any) -> None:
    """Have models write titles from now on, or no more."""
    settings.CONFIG = settings.CONFIG.model_copy(update={"titles": is_on})
    await _send_nothing(send)


async def _send_nothing(send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def application(scope: Any, receive: Any, send: Any) -> None:
    global _prepared
    _prepared = _prepared or asyncio.create_task(_prepare())
    await _prepared
    if scope.get("path", "").startswith(CAPTURE):
        await _capture(float(scope["path"].removeprefix(CAPTURE)), send)
        return
    if scope.get("path", "").startswith(DOWNLOAD):
        _downloads.set(scope["path"].removeprefix(DOWNLOAD))
        await _send_nothing(send)
        return
    if scope.get("path", "").startswith(TITLES):
        await _write_titles(scope["path"] == f"{TITLES}on", send)
        return
    await site(scope, receive, send)


if __name__ == "__main__":
    from daphne.server import Server
    from django.contrib.auth.models import User

    from tests.migrated_database import begin_with_tables
    from tests.people import hash_passwords_quickly

    hash_passwords_quickly()
    begin_with_tables(settings.CONFIG.data_dir)
    for name in ACCOUNTS:
        User.objects.create_user(name, password=f"{name} and her cat", is_staff=name == "clara")
    Server(application, endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"]).run()
