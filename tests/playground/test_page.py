import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from inference.core.config import Config
from inference.serving.recording.capture_switch import SWITCH
from tests.fakes import card, serving


@pytest.fixture
def closed() -> Iterator[None]:
    with override_settings(CONFIG=Config(api_key="secret")):
        yield


def test_the_page_carries_the_models_and_no_inline_code(client: Client) -> None:
    with serving(cards=[card("tiny"), card("</script><b>")]):
        page = client.get("/").content.decode()
    assert '"id": "tiny"' in page
    assert "<b>" not in page
    assert " style=" not in page and " onclick=" not in page


def test_the_page_knows_of_a_capture_from_the_start(client: Client) -> None:
    end = time.time() + 600
    with serving():
        assert '"kept_until": 0.0' in client.get("/").content.decode()
        SWITCH.set(end)
        try:
            assert f'"kept_until": {end}' in client.get("/").content.decode()
        finally:
            SWITCH.set(0)


def test_the_address_of_a_conversation_is_a_page(client: Client) -> None:
    name = "00000000-0000-4000-8000-000000000001"
    with serving():
        assert f'"conversation": "{name}"' in client.get(f"/c/{name}").content.decode()
        assert client.get("/c/anything").status_code == 404


def test_the_icon_other_pages_ask_for_is_there(client: Client) -> None:
    assert client.get("/favicon.ico").headers["Location"] == "/static/icons/favicon.svg"


@pytest.mark.usefixtures("closed")
def test_a_stranger_on_a_closed_site_is_sent_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/login/?next=/")
    assert "Sign in" in client.get("/login/").content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_signing_in_leads_to_the_page_and_signing_out_back(client: Client) -> None:
    User.objects.create_user("ada", password="love")
    with serving():
        page = client.post("/login/", {"username": "ada", "password": "love", "next": "/"}, follow=True)
        assert 'id="composer"' in page.content.decode()
        client.post("/logout/")
        assert client.get("/").status_code == 302


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_a_wrong_password_is_reported_on_the_page(client: Client) -> None:
    page = client.post("/login/", {"username": "ada", "password": "guess"})
    assert "do not match" in page.content.decode()
