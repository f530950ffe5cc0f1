"""The admin's list of what the pool decided."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.core.pool_state import PoolEvent as Event
from inference.models import PoolEvent
from tests.fakes import GB
from tests.people import client_of

pytestmark = pytest.mark.django_db
EVENTS = reverse("admin:inference_poolevent_changelist")


@pytest.fixture
def events() -> None:
    evicted = Event(
        kind="evicted",
        model="b",
        text="evicted b: idle 412 s",
        at=1.7e9,
        needed_bytes=5 * GB,
        limit_bytes=783_899_827,
        seconds=8.894032816999243,
    )
    for event in (evicted, Event(kind="loaded", model="tiny", text="loaded tiny in 2 s", at=1.7e9)):
        PoolEvent.objects.record(event)


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    "query", [{}, {"kind": "evicted"}, {"model": "b"}, {"q": "412"}, {"at__year": "2023", "at__month": "11"}]
)
def test_the_pools_decisions_are_listed_searched_and_filtered(staff: Client, query: dict[str, str]) -> None:
    page = staff.get(EVENTS, query).content.decode()
    assert "Evicted b: idle 412 s" in page and "2023-11-14 22:13:20" in page and "5.0 GB" not in page
    assert ("Loaded tiny" in page) == ("kind" not in query and "model" not in query and "q" not in query)


@pytest.mark.usefixtures("events")
def test_the_numbers_of_a_decision_are_on_its_page_for_people(staff: Client) -> None:
    event = PoolEvent.objects.get(kind="evicted")
    page = staff.get(reverse("admin:inference_poolevent_change", args=[event.pk])).content.decode()
    fields = dict(re.findall(r'<label>(.+?):</label>\s*<div class="readonly">(.+?)</div>', page))
    assert fields["Memory needed"] == "5.0 GB" and fields["Memory budget"] == "0.8 GB"
    assert fields["Memory free then"] == "–" and fields["Duration"] == "8.9 s"


@pytest.mark.usefixtures("events")
def test_a_decision_cannot_be_changed(staff: Client) -> None:
    event = PoolEvent.objects.get(kind="evicted")
    address = reverse("admin:inference_poolevent_change", args=[event.pk])
    assert "Evicted b" in staff.get(address).content.decode()
    assert staff.post(address, {"text": "other"}).status_code == 403


@pytest.mark.usefixtures("events")
def test_decisions_are_for_those_who_may_see_them() -> None:
    assert client_of("viewer", "view_servedmodel").get(EVENTS).status_code == 403
    User.objects.all().delete()
    assert client_of("viewer", "view_poolevent").get(EVENTS).status_code == 200
