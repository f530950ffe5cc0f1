"""The bytes that an account may keep: chats, attached files, stored responses and conversations.

What an account keeps is measured when it wants to store something, at most once a minute, and what it stores
until the next measurement is added. So no table needs a counter that could go wrong, and accounts without a
limit are never measured. Everything here is synchronous.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import F, Func, IntegerField, Max, QuerySet, Sum

from inference.core import disk_space
from inference.core.errors import StorageFull, StorageQuotaExceeded
from inference.core.principal import Principal
from inference.models import ConversationItem, StoredResponse
from inference.models.usage_limits import AccountLimits, GroupLimits

MB = 10**6
_MEASURED_FOR_S = 60.0
_AGAIN_AFTER_S = 5.0  # where the quota seems to be used up: something may have been deleted
Measure = Callable[[User], int]


class ByteLength(Func):
    """The bytes of a column of text or JSON."""

    template = "OCTET_LENGTH(CAST(%(expressions)s AS text))"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # OCTET_LENGTH came with SQLite 3.43.
        return super().as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **extra)


def bytes_of(rows: "QuerySet[Any, Any]", *columns: str) -> int:
    """The bytes that these columns of some rows hold."""
    sums = {column: Sum(ByteLength(F(column)), default=0) for column in columns}
    return sum(rows.aggregate(**sums).values())


def _stored_by_the_api(user: User) -> int:
    """Responses and conversations of an account, of its browsers and of its keys."""
    keys = [Principal(kind="key", name=key.prefix) for key in user.api_keys.all()]
    owners = [caller.owner for caller in (Principal(kind="user", name=user.get_username()), *keys)]
    responses = bytes_of(StoredResponse.objects.filter(owner__in=owners), "body", "input", "trace")
    return responses + bytes_of(ConversationItem.objects.filter(conversation__owner__in=owners), "fields")


# Other apps add theirs when they are ready.
MEASURES: list[Measure] = [_stored_by_the_api]


class StorageQuota:
    """What accounts keep, as it was measured last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, int]] = {}  # by user name: when it was measured, and bytes

    def check(self, account: str, adding: int) -> None:
        """Count bytes that the account is about to store.

        Raises StorageQuotaExceeded where it may not, and StorageFull while the disk is full for everybody.
        """
        if disk_space.is_full(settings.CONFIG.data_dir):
            raise StorageFull("The server's disk is full, so nothing was stored.")
        if not account or (limit := limit_of(account)) is None:
            return
        kept = self._measured(account, _MEASURED_FOR_S)
        if kept + adding > limit:
            kept = self._measured(account, _AGAIN_AFTER_S)
        if kept + adding > limit:
            raise StorageQuotaExceeded(
                f"This account keeps {kept / MB:.1f} MB of chats, files and stored responses, and may keep "
                f"{limit / MB:.0f} MB; this needs {adding / MB:.1f} MB. Delete something for good first."
            )
        with self._lock:
            at, kept = self._kept[account]
            self._kept[account] = at, kept + adding

    def _measured(self, account: str, lives_s: float) -> int:
        with self._lock:
            at, kept = self._kept.get(account, (-lives_s, 0))
        now = self._clock()
        if account in self._kept and now - at < lives_s:
            return kept
        kept = measure(account)
        with self._lock:
            self._kept[account] = now, kept
        return kept


def limit_of(account: str) -> int | None:
    """The bytes that an account may keep: its own limit, else the highest of its groups; None for any."""
    own = AccountLimits.objects.filter(user__username=account).values_list("storage_mb", flat=True).first()
    if own is None:
        members = GroupLimits.objects.filter(group__user__username=account)
        own = members.aggregate(most=Max("storage_mb"))["most"]
    return None if own is None else own * MB


def measure(account: str) -> int:
    """The bytes that an account keeps; reads all of it."""
    user = get_user_model().objects.filter(username=account).first()
    return sum(measured(user) for measured in MEASURES) if isinstance(user, User) else 0


STORAGE = StorageQuota()
