"""The navigation: which pages an account finds in it, and that no page is left out."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from inference.admin import navigation
from inference.admin.navigation import PAGES, SECTIONS, SectionPage
from tests.people import client_of, signed_in

pytestmark = pytest.mark.django_db


def listed(user: User) -> dict[str, list[str]]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return {
        section["name"]: [page["name"] for page in section["models"]]
        for section in admin.site.get_app_list(request)
    }


def test_the_owner_finds_every_table_in_the_declared_order() -> None:
    found = listed(User.objects.create_superuser("olivia"))
    assert list(found) == list(SECTIONS)
    assert [title for titles in found.values() for title in titles] == [page.title for page in PAGES]
    assert len([page for page in PAGES if not page.permissions]) == len(admin.site._registry)


def test_an_account_finds_what_it_may_see_and_no_empty_section() -> None:
    client_of("ann", "view_poolevent", "run_servedmodel")
    assert listed(User.objects.get(username="ann")) == {
        "Models": ["Models"],
        "Keys": ["Connect"],
        "System": ["Health", "Scheduler events"],
    }


def test_a_page_without_a_table_needs_one_of_its_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    page = SectionPage(
        "Models", "Discover", "admin:index", ("inference.add_download", "inference.view_download")
    )
    monkeypatch.setattr(navigation, "PAGES", (page, *PAGES))
    client_of("ann", "add_download"), client_of("ben", "view_poolevent")
    assert listed(User.objects.get(username="ann"))["Models"][0] == "Discover"
    assert "Models" not in listed(User.objects.get(username="ben"))


def test_a_table_without_a_line_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "PAGES", PAGES[1:])
    assert "Models" in listed(User.objects.create_superuser("olivia"))["System"]


def test_the_index_and_every_page_beside_it_show_them() -> None:
    client: Client = signed_in(User.objects.create_superuser("olivia"))
    index = client.get("/admin/").content.decode()
    for name, sentence in SECTIONS.items():
        assert f">{name}</h2>" in index and sentence in index
    keys = reverse("admin:inference_apikey_changelist")
    page = client.get(keys).content.decode()
    assert f'<a href="{keys}" aria-current="page">API keys</a>' in page
    assert f'<a href="{keys}" aria-current="true">API keys</a>' in client.get(f"{keys}add/").content.decode()


@pytest.mark.parametrize("name", ["discover", "gguf"])
def test_a_page_below_another_is_the_only_one_that_is_marked_and_has_its_crumb(name: str) -> None:
    client: Client = signed_in(User.objects.create_superuser("olivia"))
    address, downloads = (
        reverse(f"admin:inference_download_{name}"),
        reverse("admin:inference_download_changelist"),
    )
    page = client.get(address).content.decode()
    assert re.findall(r'<li><a href="([^"]*)" aria-current="page">', page) == [address]
    assert f'<a href="{downloads}">Downloads</a> › <span aria-current="page">' in page
