import json
from typing import Any

from django.test import AsyncClient

from inference import __version__
from inference.core.config import Config
from inference.core.pool_state import ModelState, PoolSnapshot, Pressure, ResidentModel
from inference.pool import Pool, PoolOptions
from inference.serving import runtime
from tests.api.openai.asking import chat
from tests.each import each
from tests.fakes import FakeRunner, serving


async def test_it_is_healthy_and_reports_the_states_of_the_workers() -> None:
    with serving(FakeRunner()):
        await chat()
        response = await AsyncClient().get("/health")
    answer = json.loads(response.content)
    assert (response.status_code, answer["status"], answer["version"]) == (200, "healthy", __version__)
    assert answer["workers"] == [{"state": "ready", "streams": 0, "restarts": 0}]


async def test_a_model_that_failed_is_shown_but_the_server_is_well() -> None:
    with serving(FakeRunner(load_error="it has no weights")):
        await chat()
        response = await AsyncClient().get("/health")
    assert json.loads(response.content)["workers"] == [{"state": "failed", "streams": 0, "restarts": 0}]
    assert response.status_code == 200


async def test_a_closing_pool_is_unhealthy() -> None:
    with serving(FakeRunner()) as pool:
        await pool.close()
        response = await AsyncClient().get("/health")
    assert (response.status_code, json.loads(response.content)["status"]) == (503, "unhealthy")


async def test_a_pool_that_drains_is_alive() -> None:
    with serving(FakeRunner()) as pool:
        pool.drain()
        response = await AsyncClient().get("/health")
    assert response.status_code == 200


class GivenPool(Pool):
    """A pool whose state is given by hand."""

    given = PoolSnapshot(limit_bytes=1)

    def snapshot(self) -> PoolSnapshot:
        return self.given


async def health_of(snapshot: PoolSnapshot) -> tuple[int, dict[str, Any]]:
    options = PoolOptions(limit_bytes=1, queue_limit=1, load_timeout_s=1)
    pool = GivenPool(options, find_card=lambda _: None, start_runner=FakeRunner)
    pool.given = snapshot
    with runtime.use_pool(pool):
        response = await AsyncClient().get("/health")
    return response.status_code, json.loads(response.content)


@each(("pressure", "status"), [("normal", 200), ("shedding", 200), ("evicting", 200), ("refusing", 503)])
async def test_it_reports_the_pressure_and_is_unhealthy_once_all_is_refused(
    pressure: Pressure, status: int
) -> None:
    got, answer = await health_of(PoolSnapshot(limit_bytes=1, pressure=pressure))
    assert (got, answer["pressure"]) == (status, pressure)


@each(("retry_in_s", "status"), [(0.0, 200), (30.0, 200), (240.0, 503)])
async def test_a_worker_that_ends_time_and_again_makes_it_unhealthy(retry_in_s: float, status: int) -> None:
    worker = ResidentModel(
        id="tiny", state=ModelState.FAILED, restarts=4, retry_in_s=retry_in_s, reason="it died"
    )
    got, answer = await health_of(PoolSnapshot(limit_bytes=1, models=(worker,)))
    assert (got, answer["workers"]) == (status, [{"state": "failed", "streams": 0, "restarts": 4}])


async def test_it_needs_no_key_and_names_no_model(settings: object) -> None:
    settings.CONFIG = Config(api_key="sesame")  # type: ignore[attr-defined]
    with serving(FakeRunner()):
        response = await AsyncClient().get("/health")
    assert response.status_code == 200
    assert b"tiny" not in response.content and b"sesame" not in response.content
