import asyncio
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import OperationalError

from inference.accounts.key_ring import CachedKey, KeyRing, Table
from inference.core import key_secret
from inference.core.errors import AuthenticationFailed, ServerError
from inference.core.key_secret import OldSecret
from inference.core.principal import Allowance
from tests.each import each

SECRET = key_secret.make()
PREFIX = key_secret.prefix_of(SECRET)
GOOD = CachedKey(
    digest=key_secret.digest(SECRET), scopes=("chat",), allowance=Allowance(streams=2), day=date(2026, 1, 1)
)


class Database:
    """Tells its table, which can change; reads are counted, and can be held up or fail."""

    def __init__(self, **changes: Any) -> None:
        self.known = msgspec.structs.replace(GOOD, **changes)
        self.reads = 0
        self.fails = False
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> Table:
        self.reads += 1
        table = {PREFIX: self.known}
        self.begun.set()
        assert self.gate.wait(10)
        if self.fails:
            raise OperationalError("locked")
        return table


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


async def why_not(ring: KeyRing, given: str = SECRET) -> str:
    with pytest.raises(ServerError) as caught:
        await ring.holder(given)
    return caught.value.message


async def test_the_holder_comes_with_what_the_key_may() -> None:
    owner, _ = await KeyRing(Database()).holder(SECRET)
    assert (owner.kind, owner.name, owner.scopes, owner.allowance.streams) == ("key", PREFIX, ("chat",), 2)


async def test_a_right_beginning_is_not_enough() -> None:
    assert "not valid" in await why_not(KeyRing(Database()), f"{PREFIX}-{'x' * 43}")


@each(
    ("changes", "reason"),
    [
        ({"is_revoked": True}, "revoked"),
        ({"expires_at": datetime.now(UTC) - timedelta(seconds=1)}, "expired"),
        ({"is_owner_active": False}, "disabled"),
    ],
)
async def test_it_says_why_a_right_key_opens_nothing(changes: dict[str, Any], reason: str) -> None:
    ring = KeyRing(Database(**changes))
    assert reason in await why_not(ring)
    assert reason not in await why_not(ring, f"{PREFIX}-{'x' * 43}")  # to its holder alone


async def test_nothing_is_read_for_what_cannot_be_a_key() -> None:
    database = Database()
    await why_not(KeyRing(database), "sesame")
    assert database.reads == 0


async def test_a_read_lasts_a_few_seconds_and_serves_wrong_keys_too() -> None:
    database, clock = Database(), Clock()
    ring = KeyRing(database, lives_s=3, clock=clock)
    for _ in range(10):
        await ring.holder(SECRET)
        await why_not(ring, key_secret.make())
    assert database.reads == 1
    clock.at = 3
    await ring.holder(SECRET)
    assert database.reads == 2


async def test_many_at_once_share_a_read_and_one_that_leaves_does_not_end_it() -> None:
    database = Database()
    database.gate.clear()
    ring = KeyRing(database)
    asked = [asyncio.create_task(ring.holder(SECRET)) for _ in range(20)]
    await asyncio.to_thread(database.begun.wait, 10)
    asked[0].cancel()
    database.gate.set()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert [owner.name for owner, _ in found[1:]] == [PREFIX] * 19  # type: ignore[misc]
    assert database.reads == 1


async def test_a_read_that_began_before_a_revocation_is_not_believed() -> None:
    database = Database()
    database.gate.clear()
    ring = KeyRing(database)
    asked = asyncio.create_task(ring.holder(SECRET))
    await asyncio.to_thread(database.begun.wait, 10)  # it has seen the good key
    database.known = msgspec.structs.replace(GOOD, is_revoked=True)
    ring.forget()
    database.gate.set()
    with pytest.raises(AuthenticationFailed, match="revoked"):
        await asked


async def test_a_failing_database_leaves_what_was_known() -> None:
    database, clock = Database(), Clock()
    ring = KeyRing(database, lives_s=3, clock=clock)
    await ring.holder(SECRET)
    database.fails, clock.at = True, 5
    assert (await ring.holder(SECRET))[0].name == PREFIX


async def test_a_failing_database_opens_nothing_after_a_change() -> None:
    database = Database()
    ring = KeyRing(database)
    await ring.holder(SECRET)
    database.fails = True
    ring.forget()
    assert "cannot be checked now" in await why_not(ring)
    database.fails = False
    assert (await ring.holder(SECRET))[0].name == PREFIX


async def test_an_old_secret_works_until_its_end_and_is_then_told_of() -> None:
    old, now = key_secret.make(PREFIX), datetime.now(UTC)
    working = OldSecret(key_secret.digest(old), now + timedelta(hours=1))
    owner, _ = await KeyRing(Database(old_secrets=(working,))).holder(old)
    assert owner.name == PREFIX
    ended = KeyRing(Database(old_secrets=(OldSecret(key_secret.digest(old), now),)))
    assert "renewed" in await why_not(ended, old)
    assert "not valid" in await why_not(ended, key_secret.make(PREFIX))
    assert (await ended.holder(SECRET))[0].name == PREFIX
    assert "revoked" in await why_not(KeyRing(Database(old_secrets=(working,), is_revoked=True)), old)
