"""The admin's page Connect, without its script."""

import html
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.connect.client import Values
from inference.connect.clients import CLIENTS, find
from inference.core import key_secret
from inference.core.config import Config
from inference.core.profile import Profile
from inference.models.api_key import ApiKey
from inference.templatetags.code_spans import code_spans
from tests.fakes import GB, FakeRunner, card, serving
from tests.people import client_of

pytestmark = pytest.mark.django_db
PAGE, INDEX = reverse("connect"), reverse("admin:index")
CARDS = [card("tiny", profiles=(Profile(name="terse"),)), card("vectors", kind="embedding")]


def texts(page: str) -> list[str]:
    return [html.unescape(text) for text in re.findall(r"<code data-text>(.*?)</code>", page, re.DOTALL)]


def shown(staff: Client, **query: str) -> str:
    with serving(FakeRunner(), cards=CARDS):
        return staff.get(PAGE, query).content.decode()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_client_is_shown_filled_in(staff: Client, client: Any) -> None:
    page = shown(staff, model="tiny:terse", client=client.name)
    values = Values(origin="http://127.0.0.1", model="tiny:terse", context=8192)
    assert texts(page) == [part.filled(values) for part in client.parts]
    assert all(f"<code>{part.path}</code>" in page for part in client.files)


def test_the_context_is_what_fits_memory(staff: Client) -> None:
    wide = card("wide", resident_bytes=4 * GB, kv_bytes_per_token=10**6, context_length=100_000)
    with serving(FakeRunner(), cards=[wide]):
        page = staff.get(PAGE, {"client": "opencode"}).content.decode()
    assert "6000" in "".join(texts(page)) and "100000" not in page


def test_the_first_model_and_client_are_chosen_and_the_address_is_the_visitors(staff: Client) -> None:
    page = shown(staff)
    assert re.findall(r'<option value="([^"]+)" selected', page) == ["tiny", "openai-python"]
    assert 'name="base" value="http://127.0.0.1"' in page and 'value="vectors"' not in page
    assert "https://llm.example:8443/v1" in texts(shown(staff, base="https://llm.example:8443/v1/"))[0]
    assert "is no address of a server" not in shown(staff, base=" ")


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"base": "javascript:alert(1)"}, "javascript:alert(1)” is no address of a server"),
        ({"base": 'http://a"b'}, "http://a&quot;b” is no address of a server"),
        ({"base": "localhost:8000"}, "localhost:8000” is no address of a server"),
        ({"base": "http://a/llm"}, "http://a/llm” is no address of a server"),
        ({"base": "x" * 5000}, f"{'x' * 99}…” is no address of a server"),
        ({"model": "gone"}, "There is no model gone for chats here; the texts are for tiny."),
        ({"model": "vectors"}, "There is no model vectors for chats here; the texts are for tiny."),
        ({"client": "emacs"}, "There is no client emacs; the texts are for OpenAI for Python."),
    ],
)
def test_what_cannot_be_had_is_told(staff: Client, chosen: dict[str, str], told: str) -> None:
    page = shown(staff, **chosen)
    assert told in page and 'name="base" value="http://127.0.0.1"' in page
    with serving(FakeRunner(), cards=CARDS):
        sent = staff.post(PAGE, chosen, follow=True)
    assert sent.content.decode().count(told) == 1 and sent.redirect_chain


def test_a_key_stays_when_something_else_is_chosen_also_without_a_script(staff: Client) -> None:
    assert 'method="get"' not in shown(staff).partition('id="connect"')[2]
    with serving(FakeRunner(), cards=CARDS):
        chosen = {"model": "tiny:terse", "client": "curl", "base": "https://llm.example", "key": "secret"}
        page = staff.post(PAGE, chosen).content.decode()
        keyless = staff.post(PAGE, chosen | {"key": " "})
    assert "Bearer secret" in texts(page)[0] and "https://llm.example/v1" in texts(page)[0]
    assert re.search(r'id="connect-key" name="key" form="connect-form" value="secret"', page)
    assert keyless["Location"] == f"{PAGE}?model=tiny%3Aterse&client=curl&base=https%3A%2F%2Fllm.example"


def test_a_typed_key_is_filled_in_and_is_in_no_address(staff: Client) -> None:
    with serving(FakeRunner(), cards=CARDS):
        response = staff.post(PAGE, {"key": " k'<b> ", "client": "curl", "model": "tiny"})
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    curl = find("curl")
    assert curl
    expected = curl.parts[0].filled(
        Values(origin="http://127.0.0.1", key="k'<b>", model="tiny", context=8192)
    )
    assert texts(response.content.decode()) == [expected] and "<b>" not in response.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_that_is_made_here_is_shown_once(staff: Client) -> None:
    with serving(FakeRunner(), cards=CARDS):
        body = {"act": "make", "client": "codex", "model": "tiny"}
        made = staff.post(PAGE, body, follow=True)
        (address, status), *_ = made.redirect_chain
        page = made.content.decode()
        again = staff.get(address).content.decode()
        staff.post(PAGE, body)
    key = ApiKey.objects.earliest("pk")
    secret = re.findall(r'Authorization = "Bearer ([^"]+)"', texts(page)[0])[0]
    assert status == 302 and key_secret.is_right(secret, key.digest) and secret not in address
    assert (key.name, key.owner.username, key.scopes) == ("Codex", "admin", ("chat", "embeddings"))
    assert secret not in again and "was already shown" in again
    assert list(ApiKey.objects.values_list("name", flat=True)) == ["Codex", "Codex 2"]
    assert LogEntry.objects.filter(change_message="Created on the page Connect.").count() == 2


def test_a_site_that_needs_a_key_says_so(staff: Client, settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame-of-the-tests")
    page = shown(staff)
    assert "requires an API key" in page and 'api_key="YOUR_KEY"' in texts(page)[0]


def test_rights_are_those_of_models_and_keys() -> None:
    viewer, keeper = client_of("viewer", "view_servedmodel"), client_of("keeper", "add_apikey")
    page = shown(viewer)
    assert "Make a key" not in page and "these names" not in page and texts(page)
    with serving(FakeRunner(), cards=CARDS):
        assert viewer.post(PAGE, {"act": "make"}).status_code == 403
        assert keeper.get(PAGE).status_code == 403
        assert Client().get(PAGE, headers={"host": "127.0.0.1"}).status_code == 302
    assert not ApiKey.objects.exists() and User.objects.count() == 2


def test_without_a_model_the_page_says_where_to_get_one(staff: Client) -> None:
    with serving(FakeRunner(), cards=[CARDS[1]]):
        page = staff.get(PAGE).content.decode()
    assert "There is no model that generates text" in page and not texts(page)


def test_the_index_and_a_models_page_lead_here(staff: Client) -> None:
    with serving(FakeRunner(), cards=CARDS):
        assert f'href="{PAGE}"' in staff.get(INDEX).content.decode()
        staff.get(reverse("admin:inference_servedmodel_changelist"))
        listed = reverse("admin:inference_servedmodel_changelist")
        row = re.findall(r"/admin/inference/servedmodel/(\d+)/change/", staff.get(listed).content.decode())[0]
        model = staff.get(reverse("admin:inference_servedmodel_change", args=[row])).content.decode()
    assert f'href="{PAGE}?model=tiny"' in model


def test_the_commands_of_a_note_are_set_as_code() -> None:
    shown = code_spans("Start it with `codex` & not `<b>`.")
    assert shown == "Start it with <code>codex</code> &amp; not <code>&lt;b&gt;</code>."
    assert code_spans("a ` alone") == "a ` alone"
