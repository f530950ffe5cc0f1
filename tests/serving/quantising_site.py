"""A site with a tiny full-precision model, a pool on a loop of its own, and scripted quantisations."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, cast

from django.conf import settings
from django.test import override_settings

from inference.pool import Pool
from inference.repository import card_reader
from inference.repository.card_reader import make_card
from inference.repository.quantising.register import Quantisations
from inference.serving import quantising, runtime
from tests.fakes import GB, FakeCatalog, FakeRunner, card, fake_pool
from tests.repository.quantising.plans import SCRIPTED
from tests.tiny import make_tiny_model


class QuantisingSite:
    """The models `tiny`, which can be quantised, and `large`, which takes most of the memory."""

    def __init__(self, models: Path, pool: Pool, register: Quantisations) -> None:
        self.models, self.pool, self.register = models, pool, register

    @classmethod
    @contextmanager
    def of(cls, models: Path) -> Iterator[Self]:
        folder = make_tiny_model(models / "tiny")
        tiny = make_card("tiny", folder, "folder", card_reader.Machine(dequantises=False))
        large = card("large", resident_bytes=int(1.8 * GB))
        pool = fake_pool([FakeRunner() for _ in range(4)], tiny, large, limit_bytes=2 * GB)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        register = Quantisations(
            models, claim=quantising.claimed, on_done=lambda: None, leaves_notes=True, module=SCRIPTED
        )
        catalog = cast(Any, FakeCatalog(tiny, large))
        config = settings.CONFIG.model_copy(update={"models_dir": models})
        with (
            override_settings(CONFIG=config),
            runtime.use_pool(pool, models=catalog),
            quantising.use_register(register),
        ):
            asyncio.run_coroutine_threadsafe(pool.warm_up(), loop).result(5)
            yield cls(models, pool, register)
            register.close()
            asyncio.run_coroutine_threadsafe(pool.close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()

    def go(self) -> None:
        """Let the quantisations end."""
        (self.models / "tiny" / "go").touch()

    def load(self, name: str) -> None:
        async def loaded() -> None:
            await self.pool.load(name)
            while self.pool.snapshot().of(name).state != "ready":
                await asyncio.sleep(0.01)

        assert self.pool.loop
        asyncio.run_coroutine_threadsafe(loaded(), self.pool.loop).result(10)
