"""The limits of accounts and groups: which one counts, and that all ways of an account share it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.db import OperationalError

from inference.accounts.account_limits import ACCOUNTS, AccountRing, Accounts, combined, read
from inference.accounts.rate_limits import LIMITS
from inference.core.config import Config
from inference.core.principal import Allowance, Principal
from inference.models.usage_limits import AccountDay, AccountLimits, GroupLimits
from inference.serving.recording.request_entry import RequestEntry
from inference.serving.recording.request_ledger import write
from tests.accounts.making import make_key
from tests.api.openai.asking import chat_body, error_of, post
from tests.fakes import FakeRunner, serving


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    ACCOUNTS.forget()


@pytest.mark.parametrize(
    ("own", "groups", "allowance"),
    [
        ((), [], Allowance()),
        ((None, None, 2), [], Allowance(streams=2)),
        ((), [(5, None, None), (9, 100, None)], Allowance(requests_per_minute=9, tokens_per_day=100)),
        ((3, None, None), [(5, 100, None)], Allowance(requests_per_minute=3, tokens_per_day=100)),
        ((20, None, None), [(5, None, None)], Allowance(requests_per_minute=20)),
    ],
)
def test_an_accounts_own_limit_counts_and_else_the_highest_of_its_groups(
    own: Any, groups: Any, allowance: Allowance
) -> None:
    assert combined(own, groups) == allowance


@pytest.mark.django_db
def test_they_are_read_with_what_was_used_today() -> None:
    ann, bo = User.objects.create_user("ann"), User.objects.create_user("bo")
    User.objects.create_user("cleo").groups.clear()
    GroupLimits.objects.create(group=Group.objects.get(name="member"), concurrent_streams=3)
    AccountLimits.objects.create(user=ann, tokens_per_day=50)
    AccountDay.objects.create(user=bo, day=datetime.now(UTC).date(), prompt_tokens=7, completion_tokens=2)
    found = read()
    assert {name: one.allowance for name, one in found.items()} == {
        "ann": Allowance(tokens_per_day=50, streams=3),
        "bo": Allowance(streams=3),
    }
    assert [found[name].tokens_today for name in ("ann", "bo")] == [0, 9]


async def test_limits_that_cannot_be_read_stop_nobody() -> None:
    def fail() -> Accounts:
        raise OperationalError("locked")

    ring = AccountRing(fail)
    assert await ring.of(Principal(kind="user", name="ann", account="ann")) is None
    assert await ring.of(Principal(kind="key")) is None


# At /v1, with all keys of an account.


async def ask(secret: str) -> Any:
    return await post("/v1/chat/completions", chat_body(), headers={"Authorization": f"Bearer {secret}"})


@sync_to_async
def two_keys(name: str, **limits: int) -> list[str]:
    owner = User.objects.create_user(name)
    AccountLimits.objects.create(user=owner, **limits)
    return [make_key(owner=owner, name=key)[1] for key in ("laptop", "phone")]


@pytest.fixture
def runner(settings: Any) -> Iterator[FakeRunner]:
    settings.CONFIG = Config(api_key="sesame")
    runner = FakeRunner(prompt_tokens=5)
    with serving(runner):
        yield runner


@pytest.mark.usefixtures("runner")
@pytest.mark.django_db(transaction=True)
async def test_all_keys_of_an_account_share_its_requests() -> None:
    one, other = await two_keys("dora", requests_per_minute=1)
    first, second = await ask(one), await ask(other)
    assert (first.status_code, second.status_code) == (200, 429)
    assert "This account may send 1 requests a minute" in error_of(second)["message"]


@pytest.mark.usefixtures("runner")
@pytest.mark.django_db(transaction=True)
async def test_all_keys_of_an_account_share_its_tokens() -> None:
    one, other = await two_keys("emil", tokens_per_day=8)
    assert (await ask(one)).status_code == 200  # 5 and 2
    assert "This account has 1 of its 8 tokens of today left" in error_of(await ask(other))["message"]


@pytest.mark.django_db(transaction=True)
async def test_all_keys_of_an_account_share_its_streams(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    one, other = await two_keys("fay", concurrent_streams=1)
    hold = asyncio.Event()
    with serving(FakeRunner(hold=hold)) as pool:
        first = asyncio.create_task(ask(one))
        async with asyncio.timeout(5):
            while not pool.snapshot().of("tiny").leases:
                await asyncio.sleep(0.01)
        refused = await ask(other)
        hold.set()
        assert ((await first).status_code, refused.status_code) == (200, 429)
    assert "This account may have 1 answers in progress" in error_of(refused)["message"]


@pytest.mark.usefixtures("runner")
@pytest.mark.django_db(transaction=True)
async def test_a_title_that_the_site_writes_takes_tokens_and_is_no_request() -> None:
    await two_keys("gus", requests_per_minute=1, concurrent_streams=1)
    gus = Principal(kind="user", name="gus", account="gus")
    known = await ACCOUNTS.of(gus)
    async with LIMITS.account_stream(gus, known), LIMITS.account_stream(gus, known, is_own=False) as meter:
        assert meter and meter.streams == 1
        meter.spend(3)
        assert meter.tokens == 3


@pytest.mark.django_db(transaction=True)
def test_what_an_account_used_is_added_up_by_day() -> None:
    User.objects.create_user("hal")
    asked: dict[str, Any] = {
        "at": 0.0,
        "model": "tiny",
        "kind": "chat",
        "prompt_tokens": 5,
        "completion_tokens": 2,
    }
    by_key = RequestEntry(principal_kind="key", principal="mlx-1", account="hal", **asked)
    by_browser = RequestEntry(principal_kind="user", principal="hal", account="hal", **asked)
    write([by_key, by_browser, RequestEntry(principal_kind="key", account="nobody", **asked)])
    write([by_browser])
    day = AccountDay.objects.get()
    assert (day.user.username, day.requests, day.tokens) == ("hal", 3, 21)
