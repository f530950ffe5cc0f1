import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.test import override_settings

from inference.core.errors import Unavailable
from inference.models import ServedModel
from inference.pool import Pool
from inference.serving import control, runtime
from tests.core.test_rank_hosts import HERE, THERE, write
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    with serving(FakeRunner()) as pool:
        await pool.warm_up()
        yield pool
        await pool.close()


async def test_a_view_of_the_running_site_pins_a_model(pool: Pool) -> None:
    """A request has one thread for sync code, and there the view waits: nothing it waits for may need it."""
    async with ThreadSensitiveContext():
        await sync_to_async(lambda: runtime.run_on_loop(control.pin("tiny"), 5))()
    assert (await ServedModel.objects.aget(name="tiny")).is_pinned


async def test_even_what_asks_django_in_its_own_way_has_a_thread(pool: Pool) -> None:
    async with ThreadSensitiveContext():
        count = await sync_to_async(lambda: runtime.run_on_loop(ServedModel.objects.acount(), 5))()
    assert count == 0


async def test_what_takes_long_is_reported_and_goes_on(pool: Pool) -> None:
    is_done = asyncio.Event()

    async def slow() -> None:
        await asyncio.sleep(0.2)
        is_done.set()

    with pytest.raises(Unavailable, match="takes longer than 0.05 s; it goes on"):
        await asyncio.to_thread(runtime.run_on_loop, slow(), 0.05)
    async with asyncio.timeout(5):
        await is_done.wait()


def test_without_a_server_it_says_how_to_start_one() -> None:
    with serving(), pytest.raises(Unavailable, match="manage.py serve"):
        runtime.run_on_loop(control.stop("x"))


def test_workers_are_told_how_many_tokens_a_picture_may_have() -> None:
    config = settings.CONFIG.model_copy(update={"picture_tokens": 100})
    assert runtime._load_options(config).picture_tokens == 100


def test_ranks_run_where_the_settings_say(tmp_path: Path) -> None:
    assert runtime.rank_setup().local(3) == 3
    changes = {"hosts_file": write(tmp_path, [HERE, THERE]), "ranks_backend": "jaccl", "ranks_port": 5000}
    with override_settings(CONFIG=settings.CONFIG.model_copy(update=changes)):
        setup = runtime.rank_setup()
    assert (setup.backend, setup.port, setup.local(2)) == ("jaccl", 5000, 1)
