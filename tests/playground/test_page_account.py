"""A page acts for the account that it was opened with, or not at all."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from playground import page_account
from playground.models import Conversation
from tests.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
ASK = {"content": "Hi", "question": {"model": "tiny"}}


def ask(client: Client, account: str) -> tuple[int, str]:
    answer = client.post("/chat/ask/", ASK, content_type="application/json", headers={"X-Account": account})
    return answer.status_code, answer.json()["error"]["message"]


def test_a_page_whose_session_has_ended_stores_nothing_in_the_open_list() -> None:
    ann = User.objects.create_user("ann")
    client = signed_in(ann)
    client.logout()
    assert ask(client, str(ann.pk)) == (401, page_account.SIGNED_OUT)
    assert Conversation.objects.count() == 0


def test_a_page_is_not_used_by_the_next_account() -> None:
    ann, beth = (User.objects.create_user(name) for name in ("ann", "beth"))
    for account in (str(ann.pk), "0"):
        assert ask(signed_in(beth), account) == (401, page_account.OTHER_ACCOUNT)


@pytest.mark.parametrize("headers", [{}, {"X-Account": "0"}])
def test_requests_of_the_account_itself_pass(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/chat/conversations/", headers=headers).status_code == 200


def test_the_page_names_its_account(client: Client) -> None:
    ann = User.objects.create_user("ann")
    assert f'"account_id": "{ann.pk}"' in signed_in(ann).get("/").content.decode()
    assert '"account_id": "0"' in client.get("/").content.decode()
