"""The admin's page of the log."""

import logging

import pytest
from django.test import Client
from django.urls import reverse

from inference.core.log_ring import RING
from tests.admin.test_request_admin import page, page_of, record
from tests.core.test_log_ring import log
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = reverse("admin:inference_logline_changelist")


@pytest.fixture(autouse=True)
def lines() -> None:
    log(RING, "loaded <tiny>", request_id="req_of_this_test")
    log(RING, "memory is short", logging.WARNING, worker="worker[7]")


def test_it_shows_the_lines_of_the_site_and_its_workers(staff: Client) -> None:
    shown = page(staff, PAGE)
    assert "loaded &lt;tiny&gt;" in shown and "worker[7]" in shown and " UTC</time>" in shown


def test_it_is_filtered_by_level_text_and_request(staff: Client) -> None:
    for query in ({"level": "WARNING"}, {"text": "SHORT"}):
        shown = page(staff, PAGE, **query)
        assert "memory is short" in shown and "loaded &lt;tiny&gt;" not in shown
    shown = page(staff, PAGE, request="req_of_this_test")
    assert "memory is short" not in shown and "loaded &lt;tiny&gt;" in shown
    assert "No log lines match." in page(staff, PAGE, text="nothing like that")
    assert "loaded &lt;tiny&gt;" in page(staff, PAGE, level="LOUD")


def test_a_request_links_to_its_lines(staff: Client) -> None:
    row = record(request_id="req_of_this_test")
    assert f"{PAGE}?request=req_of_this_test" in page(staff, page_of(row))
    assert "its log lines are unknown" in page(staff, page_of(record()))
    assert PAGE not in page(client_of("bob", "view_requestrecord"), page_of(row))


def test_it_needs_a_permission_of_its_own() -> None:
    rights = ("view_servedmodel", "run_servedmodel", "view_requestrecord")
    assert client_of("bob", *rights).get(PAGE).status_code == 403
    assert client_of("eve", "view_logline").get(PAGE).status_code == 200
