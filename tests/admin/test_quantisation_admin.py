"""The admin's pages of quantisations, without a browser; tests/e2e/test_quantising.py has one."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from inference.models import ServedModel
from inference.repository.quantising.report_file import write_report
from inference.serving import runtime
from tests.fakes import FakeCatalog, card
from tests.people import client_of
from tests.repository.conversions.waiting import has_begun, has_ended, until
from tests.repository.quantising.test_report_file import REPORT
from tests.serving.quantising_site import QuantisingSite

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:inference_quantisation_changelist")
PROGRESS = reverse("admin:inference_quantisation_progress")
RIGHTS = ("add_download", "view_download", "run_servedmodel", "view_servedmodel")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[QuantisingSite]:
    with QuantisingSite.of(tmp_path) as site:
        ServedModel.objects.sync(["tiny", "large"])
        yield site


@pytest.fixture
def staff(db: None) -> Client:
    return client_of("ann", *RIGHTS)


def form(name: str = "tiny") -> str:
    return reverse("admin:inference_quantisation_form", args=[ServedModel.objects.get(name=name).pk])


def page_of(name: str = "tiny") -> str:
    return reverse("admin:inference_servedmodel_change", args=[ServedModel.objects.get(name=name).pk])


def start(client: Client, **fields: str) -> str:
    body = {"how": "4", "group_size": "64", "name": "", "measures": "on"} | fields
    return client.post(form(), body, follow=True).content.decode()


def test_a_full_precision_model_has_a_form_with_each_choices_prediction(
    site: QuantisingSite, staff: Client
) -> None:
    assert form() in staff.get(page_of()).content.decode()
    page = staff.get(form()).content.decode()
    assert page.count('type="radio"') == 8 and 'value="4" checked' in page
    assert "tiny has 0.4 MB of weights as F32" in page
    assert "tiny-4bit" in page and re.search(r"\d{3}\.\d MB", page)
    assert form("large") not in staff.get(page_of("large")).content.decode()


def test_it_is_started_watched_and_ends_in_a_model(site: QuantisingSite, staff: Client) -> None:
    page = start(staff, how="mixed_4_6", name="small")
    assert "Quantising tiny as small." in page
    assert 'data-download="small"' in page
    until(site.register, has_begun, "small")
    (view,) = staff.get(PROGRESS).json()["downloads"]
    assert (view["state"], view["files"]) == (
        "running",
        [{"name": "Quantise", "amount": "50 %", "percent": 50}],
    )
    assert view["text"] == "From tiny: the recipe mixed_4_6, groups of 64."
    site.go()
    until(site.register, has_ended, "small")
    page = staff.get(LIST).content.decode()
    assert 'value="load small"' in page and "Chat now" not in page and "?q=small" in page
    for kind, expected in (("chat", True), ("embedding", False)):
        with runtime.use_pool(site.pool, models=cast(Any, FakeCatalog(card("small", kind=kind)))):
            assert ('href="/?model=small">Chat now<' in staff.get(LIST).content.decode()) is expected


def test_it_is_cancelled_and_dismissed(site: QuantisingSite, staff: Client) -> None:
    start(staff)
    until(site.register, has_begun)
    page = staff.post(LIST, {"act": "cancel", "id": "tiny-4bit"}, follow=True).content.decode()
    assert "No files were left behind." in page and 'value="dismiss"' in page
    page = staff.post(LIST, {"act": "dismiss", "id": "tiny-4bit"}, follow=True).content.decode()
    assert "No model is being quantised." in page
    staff.post(LIST, {"act": "cancel", "id": "nothing"})  # does nothing, and is not logged
    written = [(one.object_repr, one.change_message) for one in LogEntry.objects.order_by("pk")]
    assert written == [
        ("tiny-4bit", "Started to quantise tiny."),
        ("tiny-4bit", "Cancelled the quantisation."),
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": "../x"}, "cannot be a model&#x27;s name"),
        ({"name": "tiny"}, "tiny already exists"),
        ({"how": "3"}, 'role="alert"'),
    ],
)
def test_what_is_wrong_is_told_beside_what_was_typed(
    site: QuantisingSite, staff: Client, fields: dict[str, str], text: str
) -> None:
    page = start(staff, **fields)
    assert text in page and site.register.all() == ()
    if "name" in fields:
        assert f'value="{fields["name"]}"' in page


def test_too_little_memory_says_what_has_to_go(site: QuantisingSite, staff: Client) -> None:
    site.load("large")
    page = start(staff)
    assert "Unload large (1.8 GB) first." in page and site.register.all() == ()


def test_a_model_that_cannot_be_says_why(site: QuantisingSite, staff: Client) -> None:
    page = staff.get(form("large"), follow=True).content.decode()
    assert "is quantised already" in page


def test_the_models_page_tells_its_report(site: QuantisingSite, staff: Client) -> None:
    assert "Not here." in staff.get(page_of()).content.decode()
    write_report(site.models / "tiny", REPORT)
    page = staff.get(page_of()).content.decode()
    assert "Made of tiny with the recipe mixed_4_6, groups of 64: 4.90 bits per weight" in page
    assert "Perplexity 9.90 ± 0.10, of the original 9.50 ± 0.10, on 511 tokens of “A book”." in page


def test_who_may_not_download_sees_nothing(site: QuantisingSite) -> None:
    stranger = client_of("eve", "run_servedmodel", "view_servedmodel")
    pages = (LIST, PROGRESS, form())
    assert [stranger.get(page).status_code for page in pages] == [403, 403, 403]
    assert "Quantise…" not in stranger.get(page_of()).content.decode()
    looker = client_of("kim", "view_download")
    assert (looker.get(LIST).status_code, looker.get(form()).status_code) == (200, 403)
    assert looker.post(LIST, {"act": "cancel", "id": "x"}).status_code == 403
