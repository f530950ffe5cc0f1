import time
from typing import Any

import pytest

from inference.core.config import Config
from inference.models.api_key import KeyDay
from inference.models.request_record import RequestRecord
from inference.serving.recording.request_entry import KeyUse, RequestEntry
from inference.serving.recording.request_ledger import Ledger, write
from tests.accounts.making import make_key

pytestmark = pytest.mark.django_db(transaction=True)


def entry(**changes: Any) -> RequestEntry:
    facts: dict[str, Any] = {"at": time.time(), "principal_kind": "local", "model": "tiny", "kind": "chat"}
    return RequestEntry(**(facts | changes))


def models() -> list[str]:
    return list(RequestRecord.objects.order_by("pk").values_list("model", flat=True))


def test_entries_become_rows_in_order() -> None:
    ledger = Ledger()
    for name in "abc":
        ledger(entry(model=name))
    assert ledger.flush(10)
    assert models() == ["a", "b", "c"]


def test_a_row_has_what_the_entry_had() -> None:
    phases = {"queued_s": 0.0014, "loading_s": 2.0, "prefill_s": 0.25, "decode_s": 1.5}
    tokens = {"prompt_tokens": 5, "completion_tokens": 6, "cached_tokens": 4}
    waited = {"paused_s": 0.5, "queue_place": 2, "own_ahead": 3}
    write([entry(error="pool_full", has_left=True, finish="stop", **phases, **tokens, **waited)])
    row = RequestRecord.objects.get()
    assert (row.queued_ms, row.loading_ms, row.prefill_ms, row.decode_ms) == (1, 2000, 250, 1500)
    assert (row.paused_ms, row.queue_place, row.own_ahead) == (500, 2, 3)
    assert (row.prompt_tokens, row.completion_tokens, row.cached_tokens) == (5, 6, 4)
    assert (row.error, row.has_left, row.finish, row.key) == ("pool_full", True, "stop", None)


def test_a_row_has_where_the_request_came_from() -> None:
    write(
        [entry(dialect="anthropic", request_id="trace-1", noted="metadata, tools.0.cache_control"), entry()]
    )
    rows = RequestRecord.objects.order_by("pk").values_list("dialect", "request_id", "noted")
    assert list(rows) == [("anthropic", "trace-1", "metadata, tools.0.cache_control"), ("", "", "")]


def test_each_keys_use_is_added_up() -> None:
    (one, _), (two, _) = make_key(), make_key()
    asked = {"principal_kind": "key", "prompt_tokens": 5, "completion_tokens": 2}
    write([entry(principal=one.prefix, **asked), entry(principal=two.prefix, **asked)])
    write([entry(principal=one.prefix, **asked), KeyUse(prefix=two.prefix, at=time.time())])
    used = {day.key_id: (day.requests, day.tokens) for day in KeyDay.objects.all()}
    assert used == {one.pk: (2, 14), two.pk: (1, 7)}
    assert RequestRecord.objects.filter(key=one).count() == 2


def test_a_key_that_was_deleted_meanwhile_takes_nothing_with_it() -> None:
    write([entry(principal_kind="key", principal="mlx-0123456789ab"), entry(model="b")])
    assert models() == ["tiny", "b"] and not KeyDay.objects.exists()


def test_a_user_who_is_called_like_a_key_is_not_taken_for_it() -> None:
    key, _ = make_key()
    write([entry(principal_kind="user", principal=key.prefix, prompt_tokens=5)])
    assert RequestRecord.objects.get().key is None and not KeyDay.objects.exists()


def test_writing_one_looks_for_no_old_ones(settings: Any) -> None:
    settings.CONFIG = Config(record_days=1, record_rows=1)
    write([entry(model="old", at=time.time() - 90_000), entry(model="a")])
    assert models() == ["old", "a"]  # until the upkeep comes by


@pytest.mark.parametrize("nothing", [{"record_days": 0}, {"record_rows": 0}])
def test_a_site_that_wants_no_record_has_none_and_counts_all_the_same(
    settings: Any, nothing: dict[str, int]
) -> None:
    key, _ = make_key()
    settings.CONFIG = Config(**nothing)  # type: ignore[arg-type]
    write([entry(principal_kind="key", principal=key.prefix, prompt_tokens=5)])
    assert models() == [] and KeyDay.objects.get().tokens == 5
