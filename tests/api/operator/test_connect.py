"""What a client needs, over /api."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pydantic import SecretStr

from inference.connect.clients import CLIENTS
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, card, serving
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(FakeRunner(), cards=[card("tiny", aliases=("t",))]):
        yield


def test_every_client_is_listed_and_filled_in() -> None:
    listed = Client().get("/api/connect").json()["clients"]
    assert [one["client"] for one in listed] == [client.name for client in CLIENTS]
    for one in listed:
        answer = Client().get(f"/api/connect/{one['client']}?model=tiny").json()
        texts = "".join(part["text"] for part in answer["parts"])
        assert texts and "tiny" in texts and "testserver" in texts


def test_a_site_that_needs_a_key_leaves_its_place(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"api_key": SecretStr("a-secret-of-the-site-12345")})
    ann = client_of("ann", "view_servedmodel")
    (part, *_) = ann.get("/api/connect/openai-python?model=t").json()["parts"]
    assert "YOUR_KEY" in part["text"] and '"t"' in part["text"]
    assert Client().get("/api/connect").status_code == 401


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("nothing?model=tiny", 404, "There is no client 'nothing'"),
        ("curl", 400, "?model=ID"),
        ("curl?model=nobody", 404, "There is no model 'nobody' for chats"),
    ],
)
def test_what_is_not_there_is_refused(path: str, status: int, text: str) -> None:
    response = Client().get(f"/api/connect/{path}")
    assert response.status_code == status and text in error_of(response)["message"]
