"""Keys made here, as their holders find them at /v1 and /api."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from inference.accounts.key_ring import RING
from inference.core.config import Config
from inference.models.api_key import ApiKey, KeyDay
from inference.serving import runtime
from inference.serving.recording.request_entry import KeyUse
from inference.serving.recording.request_ledger import Ledger
from tests.accounts.making import make_key
from tests.api.openai.asking import chat_body, error_of, post
from tests.api.operator.asking import act, look
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)
make = sync_to_async(make_key)


@pytest.fixture(autouse=True)
def keyed(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")


@pytest.fixture
def runner() -> Iterator[FakeRunner]:
    runner = FakeRunner(prompt_tokens=5)
    with serving(runner):
        yield runner


async def ask(secret: str, **fields: Any) -> Any:
    headers = {"Authorization": f"Bearer {secret}"}
    return await post("/v1/chat/completions", chat_body(**fields), headers=headers)


@pytest.mark.usefixtures("runner")
async def test_a_key_opens() -> None:
    _, secret = await make()
    assert (await ask(secret)).status_code == 200


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(
    ("fields", "message"),
    [({"is_revoked": True}, "revoked"), ({"expires_at": datetime.now(UTC) - timedelta(days=1)}, "expired")],
)
async def test_a_key_that_is_over_is_401_and_says_so(fields: dict[str, Any], message: str) -> None:
    _, secret = await make(**fields)
    response = await ask(secret)
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")
    assert message in error_of(response)["message"] and response["WWW-Authenticate"] == "Bearer"


@pytest.mark.usefixtures("runner")
async def test_a_revocation_is_felt_at_once() -> None:
    key, secret = await make()
    assert (await ask(secret)).status_code == 200
    await sync_to_async(key.revoke)()
    assert (await ask(secret)).status_code == 401


@pytest.mark.usefixtures("runner")
async def test_the_key_of_a_disabled_account_opens_nothing() -> None:
    key, secret = await make()
    assert (await ask(secret)).status_code == 200
    owner = await User.objects.aget(pk=key.owner_id)
    owner.is_active = False
    await owner.asave()
    response = await ask(secret)
    assert response.status_code == 401 and "disabled" in error_of(response)["message"]


@pytest.mark.usefixtures("runner")
async def test_a_revocation_by_another_process_is_felt_with_the_next_read() -> None:
    key, secret = await make()
    assert (await ask(secret)).status_code == 200
    await ApiKey.objects.filter(pk=key.pk).aupdate(is_revoked=True)  # without a signal, as from elsewhere
    RING.forget()
    assert (await ask(secret)).status_code == 401


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(
    ("path", "body", "right"),
    [
        ("/v1/chat/completions", chat_body(), "can_chat"),
        ("/v1/completions", {"model": "tiny", "prompt": "x"}, "can_chat"),
        ("/v1/responses", {"model": "tiny", "input": "x"}, "can_chat"),
        ("/v1/tokenize", {"model": "tiny", "prompt": "x"}, "can_chat"),
        ("/v1/detokenize", {"model": "tiny", "tokens": [1]}, "can_chat"),
        ("/v1/embeddings", {"model": "tiny", "input": "x"}, "can_embed"),
    ],
)
async def test_a_missing_scope_is_403(path: str, body: Any, right: str) -> None:
    _, secret = await make(can_manage=True, **{right: False})
    response = await post(path, body, headers={"Authorization": f"Bearer {secret}"})
    assert (response.status_code, error_of(response)["code"]) == (403, "permission_denied")
    assert "scope" in error_of(response)["message"]


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(("may_manage", "status"), [(True, 200), (False, 403)])
async def test_the_pool_wants_the_scope_manage(may_manage: bool, status: int) -> None:
    _, secret = await make(can_manage=may_manage)
    headers: dict[str, Any] = {"Authorization": f"Bearer {secret}"}
    assert [(await act("pin", **headers)).status_code, (await look(**headers)).status_code] == [status] * 2


@pytest.mark.usefixtures("runner")
async def test_too_many_requests_a_minute_are_429_with_what_is_left() -> None:
    _, secret = await make(requests_per_minute=2)
    first = await ask(secret)
    assert (first["x-ratelimit-limit-requests"], first["x-ratelimit-remaining-requests"]) == ("2", "1")
    await ask(secret)
    response = await ask(secret)
    assert (response.status_code, error_of(response)["code"]) == (429, "rate_limit_exceeded")
    assert 50 <= int(response["Retry-After"]) <= 60
    assert response["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.usefixtures("runner")
async def test_the_tokens_of_the_day_run_out() -> None:
    _, secret = await make(tokens_per_day=8)
    assert (await ask(secret)).status_code == 200  # 5 and 2
    response = await ask(secret)
    assert (response.status_code, error_of(response)["type"]) == (429, "rate_limit_error")
    assert "1 of its 8 tokens of today left" in error_of(response)["message"]
    assert response["x-ratelimit-remaining-tokens"] == "1" and int(response["Retry-After"]) > 0


async def test_answers_made_together_share_the_tokens_of_the_day() -> None:
    _, secret = await make(tokens_per_day=100)
    runner = FakeRunner(["x"] * 500, prompt_tokens=1, delay_s=0.001)
    with serving(runner):
        answers = await asyncio.gather(*(ask(secret, max_tokens=500) for _ in range(8)))
        assert runner.running == 0 and (await ask(secret)).status_code == 429
    assert {answer.status_code for answer in answers} == {200}
    bodies = [answer.json() for answer in answers]
    assert {one["choices"][0]["finish_reason"] for one in bodies} == {"length"}
    assert 100 <= sum(one["usage"]["total_tokens"] for one in bodies) <= 108  # each may have one token more


@pytest.mark.usefixtures("runner")
async def test_what_was_used_before_a_restart_counts() -> None:
    key, secret = await make(tokens_per_day=8)
    await KeyDay.objects.acreate(key=key, day=datetime.now(UTC).date(), prompt_tokens=8)
    assert (await ask(secret)).status_code == 429


async def test_streams_at_the_same_time_are_limited_and_given_back() -> None:
    hold = asyncio.Event()
    _, secret = await make(concurrent_streams=1)
    with serving(FakeRunner(hold=hold)) as pool:
        first = asyncio.create_task(ask(secret))
        async with asyncio.timeout(5):
            while not pool.snapshot().of("tiny").leases:
                await asyncio.sleep(0.01)
        second = await ask(secret)
        assert (second.status_code, second["Retry-After"]) == (429, "1")
        hold.set()
        assert (await first).status_code == 200
        assert (await ask(secret)).status_code == 200


async def test_an_open_site_feels_a_key_that_it_made(settings: Any) -> None:
    settings.CONFIG = Config()
    notes: list[Any] = []
    key, secret = await make(can_chat=False)
    with serving(FakeRunner(), keep=notes.append):
        assert (await ask(secret)).status_code == 403
        assert (await ask("anything")).status_code == 200
    assert [note.prefix for note in notes if isinstance(note, KeyUse)] == [key.prefix]


async def test_two_keys_do_not_share_prompts() -> None:
    runner = FakeRunner()
    with serving(runner):
        for _ in range(2):
            _, secret = await make()
            await ask(secret)
    assert len(set(runner.owners)) == 2


async def test_use_becomes_rows(settings: Any) -> None:
    ledger = Ledger()
    key, secret = await make()
    with serving(FakeRunner(prompt_tokens=5), cards=[card("tiny")], keep=ledger):
        assert runtime.ledger() is ledger
        for _ in range(3):
            await ask(secret)
    assert await asyncio.to_thread(ledger.flush, 10)
    day = await KeyDay.objects.aget(key=key)
    assert (day.requests, day.prompt_tokens, day.completion_tokens) == (3, 15, 6)
    assert (await ApiKey.objects.aget(pk=key.pk)).last_used_at is not None
