"""The quota of an account in the playground: what counts, and what it stops."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from inference.accounts.storage_quota import MB, measure
from inference.models.usage_limits import AccountLimits
from playground import attached_files
from playground.models import Conversation, Message
from playground.store import ConversationStore
from tests.fakes import FakeRunner, serving
from tests.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def runner() -> Iterator[Any]:
    with serving(FakeRunner()) as pool:
        yield pool


@pytest.fixture
def full() -> Client:
    """The browser of an account that keeps as much as it may."""
    user = User.objects.create_user("jon")
    attached_files.add(user, "notes.txt", MB, "x" * MB)
    AccountLimits.objects.create(user=user, storage_mb=1)
    return signed_in(user)


def test_chats_files_and_deleted_chats_count() -> None:
    user = User.objects.create_user("kim")
    store = ConversationStore(user)
    file = attached_files.add(user, "a.txt", 100, "x" * 100)
    assert measure("kim") == 100
    found, _ = store.add_question(None, None, "y" * 50, {}, {}, attachments=[str(file.pk)])
    kept = measure("kim")
    assert 150 < kept < 400  # with the file's name and id
    store.delete(found.pk)
    assert measure("kim") == kept
    Conversation.objects.all().delete()
    assert measure("kim") == 0


def test_a_full_account_adds_nothing_and_is_told_why(full: Client) -> None:
    lea = User.objects.create_user("lea")
    chat, _ = ConversationStore(lea).add_question(None, None, "Hi", {}, {})
    shared = ConversationStore(lea).set_shared(chat.pk, is_shared=True)["share"]
    own = Conversation.objects.create(user=User.objects.get(username="jon"), changed_at=timezone.now())
    message = Message.objects.create(conversation=own, role="user", content="Hi")
    export = signed_in(lea).get(f"/chat/conversations/{chat.pk}.json").content
    responses = [
        full.post("/chat/attachments/?name=b.txt", b"more", content_type="application/octet-stream"),
        full.post("/chat/import/", export, content_type="application/json"),
        full.post(
            "/chat/ask/", {"content": "Hi", "question": {"model": "tiny"}}, content_type="application/json"
        ),
        full.post(f"/chat/shared/{shared}/copy/"),
        full.post(f"/chat/messages/{message.pk}/branch/"),
    ]
    codes = [(one.status_code, one.json()["error"]["code"]) for one in responses]
    assert codes == [(403, "storage_quota_exceeded")] * 5
    assert "may keep 1 MB" in responses[0].json()["error"]["message"]
    assert Conversation.objects.count() == 2
