"""Bytes of pictures beside the messages: counted, copied with them, and gone with the last to name them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from inference.accounts.storage_quota import measure
from inference.core.errors import NotFound
from inference.core.requests import Picture
from playground import attached_files, kept_pictures
from playground.file_text.picture import picture_of
from playground.message_store import MessageStore
from playground.models import Conversation, Message, PendingAttachment, StoredPicture
from playground.purge import KEPT_DELETED, purge
from tests import pictures

pytestmark = pytest.mark.django_db
RED, WIDE = picture_of(pictures.png(3, 2)), picture_of(pictures.png(30, 2))
LONG_AGO = KEPT_DELETED + timedelta(hours=1)


@pytest.fixture
def store() -> MessageStore:
    return MessageStore(User.objects.create_user("kim"))


def asked(store: MessageStore, *shown: Picture, **place: Any) -> tuple[Conversation, Message]:
    """A question with these pictures."""
    user = User.objects.get(username="kim")
    ids = [str(attached_files.add(user, "a.png", len(one.data), one).pk) for one in shown]
    found, branch = store.add_question(
        place.get("conversation"), place.get("parent"), "What is it?", {}, {}, attachments=ids
    )
    return found, branch[-1]


def test_bytes_belong_to_the_file_and_then_to_the_conversation(store: MessageStore) -> None:
    user = User.objects.get(username="kim")
    pending = attached_files.add(user, "a.png", len(RED.data), RED)
    assert kept_pictures.of_pending(pending) == RED
    assert measure("kim") == len(RED.data)
    found, (question,) = store.add_question(None, None, "Look", {}, {}, attachments=[str(pending.pk)])
    assert question.attachments == [
        {"id": str(pending.pk), "name": "a.png", "size": len(RED.data), "media_type": "image/png"}
        | {"width": 3, "height": 2}
    ]
    assert kept_pictures.read_of(found.pk, [question]) == {str(pending.pk): RED}
    assert kept_pictures.get(found.pk, str(pending.pk)) == RED
    assert len(RED.data) < measure("kim") < len(RED.data) + 300  # with the message
    assert not PendingAttachment.objects.exists()


def test_one_that_is_not_sent_goes_with_its_file(store: MessageStore) -> None:
    old, removed = (attached_files.add(None, "a.png", 9, one) for one in (RED, WIDE))
    removed.delete()
    assert [one.pk for one in StoredPicture.objects.all()] == [old.pk]
    PendingAttachment.objects.update(created_at=timezone.now() - attached_files.KEPT_PENDING * 2)
    attached_files.forget_old()
    assert not StoredPicture.objects.exists()


def test_another_conversation_does_not_have_it(store: MessageStore) -> None:
    _, question = asked(store, RED)
    other, _ = asked(store)
    with pytest.raises(NotFound):
        kept_pictures.get(other.pk, (question.attachments or [])[0]["id"])
    assert kept_pictures.read_of(other.pk, [question]) == {}


def test_a_copy_of_a_branch_has_its_own(store: MessageStore) -> None:
    found, question = asked(store, RED, WIDE)
    asked(store, RED, conversation=found.pk)  # another branch
    made = store.add_branch(*store.branch_of(question.pk))
    copy = store.get(made["id"])
    (message,) = copy.messages.all()
    copied = kept_pictures.read_of(copy.pk, [message])
    assert list(copied.values()) in ([RED, WIDE], [WIDE, RED])
    assert copied.keys().isdisjoint(str(pk) for pk in found.pictures.values_list("pk", flat=True))
    Conversation.objects.filter(pk=found.pk).delete()
    assert StoredPicture.objects.count() == 2


def test_they_go_with_their_conversation(store: MessageStore) -> None:
    found, _ = asked(store, RED)
    kept, _ = asked(store, WIDE)
    store.delete(found.pk)
    purge()
    assert StoredPicture.objects.count() == 2
    Conversation.objects.filter(pk=found.pk).update(deleted_at=timezone.now() - LONG_AGO)
    purge()
    assert [one.conversation_id for one in StoredPicture.objects.all()] == [kept.pk]


def test_they_go_with_the_last_message_that_names_them(store: MessageStore) -> None:
    found, question = asked(store, RED, WIDE)
    left = (question.attachments or [])[0]["id"]
    _, branch = store.add_question(found.pk, None, "And this alone?", {}, {}, attachments=[left])
    store.delete_message(question.pk)
    purge()
    assert StoredPicture.objects.count() == 2  # it can still be restored
    Message.objects.filter(pk=question.pk).update(deleted_at=timezone.now() - LONG_AGO)
    purge()
    assert [str(one.pk) for one in StoredPicture.objects.all()] == [left]
    assert kept_pictures.read_of(found.pk, branch) == {left: RED}
