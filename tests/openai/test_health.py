import json

from django.test import AsyncClient

from inference import __version__
from mlxsite.config import Config
from tests.fakes import FakeRunner, serving
from tests.openai.asking import chat


async def test_it_is_healthy_and_tells_the_states_of_the_workers() -> None:
    with serving(FakeRunner()):
        await chat()
        response = await AsyncClient().get("/health")
    told = json.loads(response.content)
    assert (response.status_code, told["status"], told["version"]) == (200, "healthy", __version__)
    assert told["workers"] == [{"state": "ready", "streams": 0}]


async def test_a_model_that_failed_is_shown_but_the_server_is_well() -> None:
    with serving(FakeRunner(load_error="it has no weights")):
        await chat()
        response = await AsyncClient().get("/health")
    assert json.loads(response.content)["workers"] == [{"state": "failed", "streams": 0}]
    assert response.status_code == 200


async def test_a_closing_pool_is_unhealthy() -> None:
    with serving(FakeRunner()) as pool:
        await pool.close()
        response = await AsyncClient().get("/health")
    assert (response.status_code, json.loads(response.content)["status"]) == (503, "unhealthy")


async def test_it_needs_no_key_and_names_no_model(settings: object) -> None:
    settings.CONFIG = Config(api_key="sesame")  # type: ignore[attr-defined, arg-type]
    with serving(FakeRunner()):
        response = await AsyncClient().get("/health")
    assert response.status_code == 200
    assert b"tiny" not in response.content and b"sesame" not in response.content
