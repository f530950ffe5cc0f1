from typing import Any

import pytest

from inference.core.errors import InvalidValue, NotFound
from inference.models import Upstream
from inference.serving import upstreams
from inference.storage.database_threads import in_database
from tests.fakes import FakeRunner, serving
from tests.storage.test_upstream_routes import allow
from tests.upstreams.fake_server import Wire, fake_server, says_hello

pytestmark = pytest.mark.django_db(transaction=True)
URL = "http://one:8000/v1"
BIG: list[dict[str, object]] = [{"model": "big", "name": "org/big"}]
SMALL: list[dict[str, object]] = [{"model": "small"}]


@pytest.fixture(autouse=True)
def site() -> Any:
    with serving(FakeRunner()):
        yield


def test_one_is_saved_replaced_and_removed_and_its_key_stays_unless_another_is_given() -> None:
    saved = upstreams.save("one", f"{URL}/", BIG, engine="vllm", key="s3cret")
    assert (saved.base_url, saved.has_key, saved.problem) == (URL, True, "")
    assert [(one.model, one.name, one.state) for one in saved.models] == [("big", "org/big", "not asked yet")]
    stored = Upstream.objects.get().sealed_key
    upstreams.save("one", URL, SMALL)
    assert Upstream.objects.get().sealed_key == stored
    assert [[one.model for one in row.models] for row in upstreams.listed()] == [["small"]]
    assert not upstreams.save("one", URL, [], key="").has_key
    upstreams.remove("one")
    assert upstreams.listed() == []
    with pytest.raises(NotFound):
        upstreams.remove("one")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"base_url": "ftp://one"}, "base_url"),
        ({"engine": "magic"}, "engine"),
        ({"key": "with blank"}, "key"),
        ({"key": "ü"}, "key"),
        ({"models": [{"model": "a b"}]}, "models.0.model"),
        ({"models": [{"model": "a", "context_length": 1}]}, "models.0.context_length"),
        ({"models": [{"model": "a"}, {"model": "a"}]}, "models.1"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(fields: dict[str, Any], param: str | None) -> None:
    given: dict[str, Any] = {"name": "one", "base_url": URL, "models": BIG} | fields
    with pytest.raises(InvalidValue) as refused:
        upstreams.save(**given)
    assert refused.value.param == param
    assert not Upstream.objects.exists()


def test_a_host_that_the_setting_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, "two")
    with pytest.raises(InvalidValue, match="one:8000 is not in MLX_SERVER_UPSTREAM_HOSTS") as refused:
        upstreams.save("one", URL, BIG)
    assert refused.value.param == "base_url"


async def states() -> list[str]:
    listed = await in_database(upstreams.listed)
    return [model.state for row in listed for model in row.models]


async def outcome_of(url: str, model: str) -> upstreams.Tested:
    await in_database(lambda: upstreams.save("one", url, [{"model": model}]))
    return await upstreams.test("one")


async def test_a_test_says_what_the_server_lists_and_what_it_does_not() -> None:
    async with fake_server(says_hello) as server:
        good = await outcome_of(server.address().base_url, "theirs")
        other = await outcome_of(server.address().base_url, "other")
        url = server.address().base_url
    assert await states() == ["answers"]
    gone = await outcome_of(url, "theirs")
    assert good == upstreams.Tested(
        answers=True, text="The upstream one answers and lists 1 model.", models=("theirs",)
    )
    assert other.text == "The upstream one answers and lists 1 model. It does not list other; it has theirs."
    assert gone == upstreams.Tested(
        answers=False, text="The upstream one does not answer: it cannot be reached."
    )
    assert await states() == ["failing: it cannot be reached; the next request asks it again"]
    with pytest.raises(NotFound):
        await upstreams.test("nobody")


async def test_a_server_that_lists_nonsense_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_server(says_hello) as server:

        async def nonsense(wire: Wire) -> None:
            await wire.begin()
            await wire.send("<html>")

        monkeypatch.setattr(server, "_list", nonsense)
        found = await outcome_of(server.address().base_url, "theirs")
    assert found.text == "The upstream one does not answer: what it lists at /models is no list of models."
