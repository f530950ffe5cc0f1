"""The roll-up of requests into hours, in the batch that writes their records."""

import time
from typing import Any

import pytest

from inference.core.config import Config
from inference.models.request_record import RequestRecord
from inference.models.usage_hour import UsageHour
from inference.serving.recording.request_ledger import write
from tests.accounts.making import make_key
from tests.serving.recording.test_request_ledger import entry

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_adds_to_the_hours_in_which_its_requests_began() -> None:
    hour = time.time() // 3600 * 3600
    tokens = {"prompt_tokens": 5, "cached_tokens": 2, "completion_tokens": 3}
    write(
        [entry(at=hour + 1, **tokens), entry(at=hour - 1, **tokens), entry(at=hour + 2, error="queue_full")]
    )
    write([entry(at=hour + 3, **tokens)])
    earlier, later = UsageHour.objects.order_by("hour")
    assert (earlier.requests, earlier.prompt_tokens) == (1, 5)
    assert (later.requests, later.errors, later.prompt_tokens, later.cached_tokens) == (3, 1, 10, 4)
    assert later.hour.timestamp() == hour


def test_the_names_of_the_key_and_the_account_stay_when_both_are_deleted() -> None:
    key, _ = make_key(name="laptop")
    write([entry(principal_kind="key", principal=key.prefix, account="ann")])
    key.owner.delete()
    row = UsageHour.objects.get()
    assert (row.key_prefix, row.key_name, row.account) == (key.prefix, "laptop", "ann")


def test_names_of_models_that_do_not_exist_are_one() -> None:
    write([entry(model=f"m{number}", error="model_not_found") for number in range(9)])
    row = UsageHour.objects.get()
    assert (row.model, row.requests) == ("", 9)


def test_it_is_kept_when_the_records_are_not(settings: Any) -> None:
    write([entry()])
    RequestRecord.objects.retain(days=0, rows=0)
    settings.CONFIG = Config(record_days=0)
    write([entry()])
    assert not RequestRecord.objects.exists() and UsageHour.objects.get().requests == 2
