"""Filters of lists stay short where there are many values."""

import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.models import ApiKey, RequestRecord
from tests.accounts.making import make_key

pytestmark = pytest.mark.django_db
REQUESTS = reverse("admin:inference_requestrecord_changelist")
KEYS = reverse("admin:inference_apikey_changelist")


def record(**facts: Any) -> RequestRecord:
    given = {"at": datetime.now(UTC), "principal_kind": "local", "model": "tiny", "kind": "chat"}
    phases = dict.fromkeys(("queued_ms", "loading_ms", "prefill_ms", "decode_ms"), 1)
    tokens = dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"), 1)
    return RequestRecord(**given | phases | tokens | facts)


def choices(client: Client, title: str, address: str = REQUESTS, **query: str) -> list[str]:
    """What the filter of this title offers; the chosen one is marked."""
    page = client.get(address, query, follow=True).content.decode()
    found = re.search(rf"<summary>{title}(?:<| ?:).*?</details>", page, re.DOTALL)
    assert found, page
    rows = re.findall(r'<li( class="selected")?><a[^>]*>(.*?)</a>', found[0])
    return [html.unescape(text) + " *" * bool(mark) for mark, text in rows]


def test_a_filter_offers_the_most_frequent_values(staff: Client) -> None:
    many = [record(model=f"model-{number:02}") for number in range(40) for _ in range(1 + (number >= 10))]
    RequestRecord.objects.bulk_create(many)
    assert choices(staff, "Model") == ["All *", *(f"model-{number}" for number in range(10, 40))]
    assert choices(staff, "Model", model="model-03")[1] == "model-03 *"
    assert choices(staff, "Model", model="gone")[1] == "gone *"


def test_a_filter_offers_the_rows_that_most_belong_to(staff: Client) -> None:
    owner = User.objects.get()
    for number in range(40):
        key, _ = make_key(name=f"key {number:02}", owner=owner)
        RequestRecord.objects.bulk_create([record(key=key)] * (1 + (number >= 10)))
    shown = choices(staff, "API key")
    assert len(shown) == 32 and "key 39" in shown[1] + shown[30] and not any("key 03" in one for one in shown)
    rare = ApiKey.objects.get(name="key 03").pk
    assert f"{ApiKey.objects.get(pk=rare)} *" in choices(staff, "API key", key__id__exact=str(rare))
    for nonsense in ("²", "0", "9" * 30, "x"):
        assert choices(staff, "API key", key__id__exact=nonsense)


def test_owners_of_keys_are_offered_and_other_accounts_are_not(staff: Client) -> None:
    User.objects.bulk_create([User(username=f"user-{number}") for number in range(50)])
    make_key(owner=User.objects.get(username="admin"))
    make_key(owner=User.objects.get(username="user-7"))
    assert choices(staff, "Owner", KEYS) == ["All *", "admin", "user-7"]


def test_words_stay_words_beside_their_numbers(staff: Client) -> None:
    full = "Memory was full of busy models"
    made = [record(finish="stop"), record(error="pool_full"), record(error="pool_full")]
    RequestRecord.objects.bulk_create(made)
    assert choices(staff, "Finish reason", _facets="True") == ["All *", "none (2)", "Completed (1)"]
    assert choices(staff, "Error", _facets="True") == ["All *", "none (1)", f"{full} (2)"]


def test_a_filter_that_means_nothing_is_told(staff: Client) -> None:
    page = staff.get(REQUESTS, {"at__gte": "soon"}, follow=True).content.decode()
    assert "means nothing here: all rows are shown" in page
    assert "means nothing" not in staff.get(REQUESTS).content.decode()
