"""Signing in on the pages of the playground and the admin: what they say, count and log."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inference.accounts import sign_in_form
from inference.models.sign_in import SignInAttempts

pytestmark = pytest.mark.django_db
PAGES = ["/login/", "/admin/login/"]
HERE = "203.0.113.7"


@pytest.fixture(autouse=True)
def ann() -> User:
    return User.objects.create_superuser("ann", password="love and war")


def try_in(page: str, password: str, name: str = "ann", address: str = HERE) -> Any:
    browser = Client(headers={"host": "127.0.0.1"}, REMOTE_ADDR=address)
    return browser.post(page, {"username": name, "password": password})


@pytest.mark.parametrize("page", PAGES)
def test_after_five_failures_it_says_when_to_come_back(page: str) -> None:
    for _ in range(5):
        assert "Too many" not in try_in(page, "guess").content.decode()
    refused = try_in(page, "love and war")  # not even the right one is looked at
    assert "Too many attempts to sign in have failed. Try again in 15 seconds" in refused.content.decode()
    assert try_in(page, "love and war", address="198.51.100.9").status_code == 302


def test_the_playgrounds_page_has_the_status_for_it() -> None:
    statuses = [try_in("/login/", "guess").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    refused = try_in("/login/", "guess")
    assert 1 <= int(refused["Retry-After"]) <= 15
    assert "do not match" not in refused.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_both_pages_and_all_names_count_together(page: str) -> None:
    for number in range(20):
        try_in(PAGES[number % 2], "guess", f"user{number}")
    assert "Too many" in try_in(page, "guess", "zoe").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_success_is_counted_as_none(page: str) -> None:
    for _ in range(8):
        try_in(page, "guess")
        assert try_in(page, "love and war").status_code == 302
    assert SignInAttempts.objects.get().failures == 0


def test_the_log_has_the_address_and_no_name_that_was_typed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "inference")
    try_in("/login/", "guess", "hunter2")
    try_in("/login/", "love and war")
    assert [record.getMessage() for record in caplog.records] == [
        "A sign-in from 203.0.113.7 failed",
        "'ann' signed in from 203.0.113.7",
    ]


@pytest.mark.parametrize("page", PAGES)
def test_where_many_wait_the_next_is_asked_to_come_back(page: str) -> None:
    places = [sign_in_form._WAITING.acquire(blocking=False) for _ in range(20)]
    try:
        response = try_in(page, "love and war")
    finally:
        for _ in range(sum(places)):
            sign_in_form._WAITING.release()
    assert "Too many sign-ins are in progress" in response.content.decode()
    assert not SignInAttempts.objects.exists()


def test_an_empty_form_counts_as_nothing() -> None:
    assert try_in("/login/", "").status_code == 200
    assert not SignInAttempts.objects.exists()
