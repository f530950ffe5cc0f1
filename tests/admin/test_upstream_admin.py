from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from inference.models import Upstream
from inference.storage import upstream_routes
from tests.fakes import FakeRunner, serving
from tests.people import client_of
from tests.storage.test_upstream_routes import allow

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/inference/upstream/"
GONE = "http://127.0.0.1:1/v1"


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(FakeRunner()):
        yield


def form(**fields: Any) -> dict[str, Any]:
    rows = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "0-model": "big", "0-name": "org/big"}
    rows |= {"0-context_length": 4096, "0-most_streams": 0, "0-takes_tools": "on"}
    given = {"name": "one", "base_url": GONE, "engine": "vllm", "is_enabled": "on", "key": "s3cret"}
    return given | {f"models-{name}": value for name, value in rows.items()} | fields


def test_one_is_added_with_a_key_that_no_page_shows(staff: Client) -> None:
    assert staff.post(f"{LIST}add/", form()).status_code == 302
    row = Upstream.objects.get()
    assert upstream_routes.address_at(row).key.get_secret_value() == "s3cret"
    assert [model.name_there for model in row.models.all()] == ["org/big"]
    for address in (LIST, f"{LIST}{row.pk}/change/"):
        page = staff.get(address).content.decode()
        assert "s3cret" not in page and row.sealed_key not in page
    assert "big: not asked yet" in staff.get(LIST).content.decode()


def test_an_empty_key_keeps_the_stored_one_until_it_is_removed(staff: Client) -> None:
    staff.post(f"{LIST}add/", form())
    row = Upstream.objects.get()
    page = f"{LIST}{row.pk}/change/"
    its = {"models-INITIAL_FORMS": 1, "models-0-id": row.models.get().pk, "models-0-upstream": row.pk}
    for more, has_key in (({"key": ""}, True), ({"key": "", "removes_key": "on"}, False)):
        assert staff.post(page, form(**its, **more)).status_code == 302
        row.refresh_from_db()
        assert bool(row.sealed_key) == has_key


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"base_url": "ftp://one"}, "it begins with"),
        ({"key": "two words"}, "no blanks"),
        ({"name": "a b"}, "A name has only letters"),
        ({"models-0-model": "a b"}, "no blanks"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(staff: Client, fields: dict[str, str], text: str) -> None:
    page = staff.post(f"{LIST}add/", form(**fields))
    assert page.status_code == 200 and text in page.content.decode()
    assert not Upstream.objects.exists()


def test_a_host_that_the_setting_does_not_have_is_refused(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, "llm.example")
    page = staff.post(f"{LIST}add/", form()).content.decode()
    assert "127.0.0.1:1 is not in MLX_SERVER_UPSTREAM_HOSTS" in page


def test_its_health_is_said_in_words_also_when_the_secret_key_has_changed(staff: Client) -> None:
    staff.post(f"{LIST}add/", form())
    row = Upstream.objects.get()
    sealed = upstream_routes.seal("x")
    with override_settings(SECRET_KEY="k" * 50):
        Upstream.objects.update(sealed_key=upstream_routes.seal("x"))
    assert "this site&#x27;s secret key has changed" in staff.get(LIST).content.decode()
    Upstream.objects.update(sealed_key=sealed, is_enabled=False)
    assert "it is disabled" in staff.get(f"{LIST}{row.pk}/change/").content.decode()


def test_the_button_says_what_the_server_answers(staff: Client) -> None:
    staff.post(f"{LIST}add/", form())
    page = staff.post(f"{LIST}act/", {"act": "test one"}, follow=True).content.decode()
    assert "The upstream one does not answer: it cannot be reached." in page
    page = staff.post(f"{LIST}act/", {"act": "test nobody"}, follow=True).content.decode()
    assert "There is no upstream" in page


def test_whoever_may_only_look_gets_no_button_and_no_key_field(staff: Client) -> None:
    staff.post(f"{LIST}add/", form())
    looker = client_of("lee", "view_upstream")
    assert "test one" not in looker.get(LIST).content.decode()
    page = looker.get(f"{LIST}{Upstream.objects.get().pk}/change/").content.decode()
    assert 'name="key"' not in page and "org/big" in page
    assert looker.post(f"{LIST}act/", {"act": "test one"}).status_code == 403
    assert client_of("ann", "run_servedmodel").get(LIST).status_code == 403
