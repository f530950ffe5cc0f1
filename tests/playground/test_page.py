import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from inference.core.config import Config
from inference.core.installation import PROGRAM
from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.repository.downloads.progress import FetchProgress, FileProgress
from inference.serving import runtime
from inference.serving.recording.capture_switch import SWITCH
from playground.store import ConversationStore
from tests.fakes import card, serving
from tests.people import client_of


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


@pytest.mark.django_db
def test_the_address_of_a_conversation_is_a_page(client: Client) -> None:
    name = "00000000-0000-4000-8000-000000000001"
    with serving():
        assert f'"conversation": "{name}"' in client.get(f"/c/{name}").content.decode()
        assert client.get("/c/anything").status_code == 404


@pytest.mark.django_db
def test_the_address_of_a_shared_chat_leads_everybody_but_its_owner_to_the_shared_page() -> None:
    owner = client_of("ann", "ask_servedmodel")
    other = client_of("beth", "ask_servedmodel", is_staff=False)
    store = ConversationStore(User.objects.get(username="ann"))
    chat = store.add_question(None, None, "Hi", {}, {}, None, [])[0]
    address = f"/c/{chat.pk}"
    with serving():
        assert other.get(address).status_code == 200  # the page says that there is none
        link = f"/s/{store.set_shared(chat.pk, is_shared=True)['share']}"
        for visitor in (other, Client()):
            assert visitor.get(address).headers["Location"] == link
        assert owner.get(address).status_code == 200
        store.set_shared(chat.pk, is_shared=False)
        assert other.get(address).status_code == 200
        store.set_shared(chat.pk, is_shared=True)
        store.delete(chat.pk)
        assert other.get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_a_shared_address_is_for_those_who_may_chat_here_alone(client: Client) -> None:
    store = ConversationStore(User.objects.create_user("ann"))
    chat = store.add_question(None, None, "Hi", {}, {}, None, [])[0]
    token = store.set_shared(chat.pk, is_shared=True)["share"]
    assert client.get(f"/c/{chat.pk}").headers["Location"] == f"/login/?next=/c/{chat.pk}"
    refused = client_of("cid", is_staff=False).get(f"/c/{chat.pk}")  # may not chat here
    assert refused.status_code == 403 and token not in refused.content.decode()


def test_the_page_for_signing_in_says_how_to_get_an_account(client: Client) -> None:
    page = client.get("/login/").content.decode()
    assert "Username" in page and f"{PROGRAM} password_link" in page


@pytest.mark.django_db
def test_the_account_menu_leads_to_the_keys_whoever_may_see_them() -> None:
    keys = 'href="/admin/inference/apikey/"'
    with serving():
        assert keys in client_of("ann", "ask_servedmodel", "view_apikey").get("/").content.decode()
        assert keys not in client_of("beth", "ask_servedmodel").get("/").content.decode()


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


MODELS, DOWNLOADS = "/admin/inference/servedmodel/", "/admin/inference/download/"
DISCOVER = f"{DOWNLOADS}discover/"
LINKS = ("Manage models", "Sign in", "Your account", "Admin")


def links_of(page: str) -> set[str]:
    header = page[page.index("<header>") : page.index("</header>")]
    return {link for link in LINKS if f">{link}<" in header or f'aria-label="{link}"' in header}


@pytest.mark.django_db
def test_the_header_always_leads_to_models_or_to_signing_in() -> None:
    with serving():
        assert links_of(Client().get("/").content.decode()) == {"Manage models", "Sign in"}
        member = client_of("beth", "ask_servedmodel", is_staff=False)
        assert links_of(member.get("/").content.decode()) == {"Your account"}
        operator = client_of("ann", "ask_servedmodel", "view_servedmodel")
        assert links_of(operator.get("/").content.decode()) == {"Manage models", "Your account", "Admin"}
        page = Client().get("/c/00000000-0000-4000-8000-000000000001").content.decode()
        assert "/login/?next=/c/00000000-0000-4000-8000-000000000001" in page
        assert f'href="{MODELS}"' in page


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_who_may_load_models_is_known_to_the_page() -> None:
    with serving():
        for name, rights, may in (("beth", (), "false"), ("ann", ("run_servedmodel",), "true")):
            page = client_of(name, "ask_servedmodel", *rights).get("/").content.decode()
            assert f'"may_manage": {may}' in page and f'"account": "{name}"' in page


@pytest.mark.django_db
def test_without_a_model_the_page_says_what_to_do() -> None:
    with serving(cards=[card("odd", problem="no weights")]):
        stranger = Client().get("/").content.decode()
        staff = client_of("ann", "ask_servedmodel", "add_download").get("/").content.decode()
        member = client_of("beth", "ask_servedmodel", is_staff=False).get("/").content.decode()
    assert f'href="/login/?next={DISCOVER}">Download a model</a>' in stranger
    assert "These fit the memory of this server, 10.0 GB for models" in stranger
    assert "Qwen3-0.6B-4bit" in stranger and 'value="start"' not in stranger
    assert f'href="{DISCOVER}">Download a model</a>' in staff
    assert f'<form method="post" action="{DOWNLOADS}">' in staff and 'value="start"' in staff
    assert "Ask the people who run this server" in member and "Download a model" not in member
    assert '{"id": "odd", "reason": "It cannot be served: no weights"}' in stranger


class Register:
    """Downloads of which one goes on."""

    def all(self) -> tuple[ActiveDownload, ...]:
        progress = FetchProgress(files=(FileProgress(name="w", done=10**9, size=4 * 10**9),))
        running = ActiveDownload(id="org/coming", state=DownloadState.RUNNING, progress=progress)
        return (
            running,
            ActiveDownload(id="org/starting", state=DownloadState.RUNNING),
            ActiveDownload(id="org/failed", state=DownloadState.FAILED),
        )


def test_without_a_model_the_page_says_which_are_being_downloaded(client: Client) -> None:
    register: Any = Register()
    with serving(cards=[card("odd", problem="no weights")]), runtime.use_downloads(register):
        page = client.get("/").content.decode()
    assert "org/coming is being downloaded: 1.0 GB of 4.0 GB were there when this page was opened." in page
    assert "org/starting is being downloaded." in page and "org/failed" not in page
