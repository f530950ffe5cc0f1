"""What was deleted: how long it can be restored, and its end before that."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from inference.core.errors import NotFound
from playground.conversation_list import PAGE
from playground.deleted_conversations import DeletedConversations
from playground.models import Conversation
from playground.purge import IN_IMPORT, KEPT_DELETED, purge
from playground.store import ConversationStore

pytestmark = pytest.mark.django_db


def make(title: str, ago: timedelta, user: User | None = None) -> Conversation:
    deleted_at = timezone.now() - ago
    fields: dict[str, Any] = {"title": title, "user": user}
    return Conversation.objects.create(changed_at=deleted_at, deleted_at=deleted_at, **fields)


def listed(user: User | None = None) -> list[tuple[str, int]]:
    page = DeletedConversations(user).page()
    return [(one["title"], one["days_left"]) for one in page["conversations"]]


def test_each_has_its_days_left_for_thirty_days() -> None:
    assert timedelta(days=30) == KEPT_DELETED
    make("now", timedelta())
    make("a day ago", timedelta(days=1, hours=1))
    make("nearly gone", KEPT_DELETED - timedelta(hours=1))
    make("gone", KEPT_DELETED + timedelta(hours=1))
    Conversation.objects.create(title="kept", changed_at=timezone.now())
    assert listed() == [("now", 30), ("a day ago", 29), ("nearly gone", 1)]
    purge()
    assert Conversation.objects.count() == 4


def test_one_or_all_are_deleted_for_good() -> None:
    one, *_ = [make(title, timedelta(hours=1)) for title in ("one", "two", "three")]
    kept = Conversation.objects.create(title="kept", changed_at=timezone.now())
    deleted = DeletedConversations(None)
    deleted.expire(one.pk)
    assert len(listed()) == 2
    with pytest.raises(NotFound):
        ConversationStore(None).restore(one.pk)
    for pk in (one.pk, kept.pk):
        with pytest.raises(NotFound):
            deleted.expire(pk)
    deleted.expire()
    deleted.purge()
    assert list(Conversation.objects.all()) == [kept]


def test_only_their_owner_sees_and_ends_them() -> None:
    ann = User.objects.create_user("ann")
    hers = make("hers", timedelta(), ann)
    assert (listed(), listed(ann)) == ([], [("hers", 30)])
    with pytest.raises(NotFound):
        DeletedConversations(None).expire(hers.pk)
    DeletedConversations(None).expire()
    assert listed(ann) == [("hers", 30)]


def test_many_come_in_pages() -> None:
    for number in range(PAGE + 1):
        make(str(number), timedelta(minutes=number))
    first, second = DeletedConversations(None).page(), DeletedConversations(None).page(PAGE)
    assert (len(first["conversations"]), first["has_more"], first["count"]) == (PAGE, True, PAGE + 1)
    assert [one["title"] for one in second["conversations"]] == [str(PAGE)]


def test_a_conversation_in_import_is_not_among_them_and_a_broken_one_is_purged() -> None:
    half = Conversation.objects.create(title="half", changed_at=timezone.now(), deleted_at=IN_IMPORT)
    purge()
    assert listed() == [] and Conversation.objects.filter(pk=half.pk).exists()
    with pytest.raises(NotFound):
        ConversationStore(None).restore(half.pk)
    Conversation.objects.filter(pk=half.pk).update(created_at=timezone.now() - timedelta(days=2))
    purge()
    assert not Conversation.objects.exists()
