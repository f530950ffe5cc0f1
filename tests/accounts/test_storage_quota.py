"""What accounts may keep: which limit counts, what is measured, and who is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.db import connection

from inference.accounts.storage_quota import MB, StorageQuota, limit_of, measure
from inference.core.config import Config
from inference.core.errors import StorageFull, StorageQuotaExceeded
from inference.models import ConversationItem, StoredConversation, StoredResponse
from inference.models.usage_limits import AccountLimits, GroupLimits
from tests.accounts.making import make_key
from tests.api.openai.asking import error_of, post
from tests.fakes import FakeRunner, serving


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quota(clock: Clock) -> StorageQuota:
    return StorageQuota(clock)


@pytest.fixture
def ann(db: None) -> User:
    ann = User.objects.create_user("ann")
    AccountLimits.objects.create(user=ann, storage_mb=1)
    return ann


def keep(owner: str, size: int) -> StoredResponse:
    number = StoredResponse.objects.count()
    return StoredResponse.objects.create(id=f"resp_{number}", owner=owner, body="x" * (size - 2))


def test_an_own_limit_counts_and_else_the_highest_of_the_groups(ann: User) -> None:
    User.objects.create_user("bo")
    User.objects.create_user("cleo").groups.clear()
    GroupLimits.objects.create(group=Group.objects.get(name="member"), storage_mb=5)
    assert [limit_of(name) for name in ("ann", "bo", "cleo")] == [MB, 5 * MB, None]


def test_all_ways_in_which_an_account_stores_are_measured(ann: User) -> None:
    before = measure("ann")
    key, _ = make_key(owner=ann)
    keep("user:ann", 1000)
    keep(f"key:{key.prefix}", 100)
    keep("user:bo", 10_000)
    assert measure("ann") - before == 1100 + 2 * len("[]{}")
    conversation = StoredConversation.objects.create(id="conv_1", owner="user:ann")
    item = {"text": "éé"}
    stored = json.dumps(item, ensure_ascii=connection.vendor == "sqlite")
    ConversationItem.objects.create(item_id="i", conversation=conversation, fields=item)
    assert measure("ann") - before == 1108 + len(stored.encode())


def test_what_it_stores_until_the_next_measurement_is_added(
    ann: User, quota: StorageQuota, clock: Clock
) -> None:
    quota.check("ann", MB // 2)
    quota.check("ann", MB // 2)
    with pytest.raises(StorageQuotaExceeded, match="keeps 1.0 MB .* may keep 1 MB; this needs 0.1 MB"):
        quota.check("ann", MB // 10)
    clock.at += 5  # what it was going to store was not stored, or was deleted
    quota.check("ann", MB // 10)


def test_whoever_deleted_something_may_store_again(ann: User, quota: StorageQuota, clock: Clock) -> None:
    kept = keep("user:ann", MB)
    with pytest.raises(StorageQuotaExceeded):
        quota.check("ann", 1)
    kept.delete()
    clock.at += 5
    quota.check("ann", MB)


def test_an_account_without_a_limit_is_not_measured(db: None, quota: StorageQuota) -> None:
    User.objects.create_user("bo")
    for account in ("bo", ""):
        quota.check(account, 10**12)
    assert quota._kept == {}


@pytest.mark.django_db
def test_nobody_fills_the_disk(quota: StorageQuota, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.core.disk_space.is_full", lambda place: True)
    with pytest.raises(StorageFull):
        quota.check("", 1)


@pytest.fixture
def runner(settings: Any) -> Iterator[FakeRunner]:
    settings.CONFIG = Config(api_key="sesame")
    with serving(FakeRunner()) as _:
        yield _


@pytest.mark.usefixtures("runner")
@pytest.mark.django_db(transaction=True)
async def test_what_is_stored_at_v1_is_refused_before_it_is_made() -> None:
    def full_account() -> str:
        ivy = User.objects.create_user("ivy")
        AccountLimits.objects.create(user=ivy, storage_mb=1)
        keep("user:ivy", MB)
        return make_key(owner=ivy)[1]

    headers = {"Authorization": f"Bearer {await sync_to_async(full_account)()}"}
    asked = {"model": "tiny", "input": "Hi"}
    made = {"items": [{"type": "message", "role": "user", "content": "Hi"}]}
    for path, body in (("/v1/responses", asked), ("/v1/conversations", made)):
        response = await post(path, body, headers=headers)
        assert (response.status_code, error_of(response)["code"]) == (403, "storage_quota_exceeded")
    unstored = await post("/v1/responses", asked | {"store": False}, headers=headers)
    assert unstored.status_code == 200
