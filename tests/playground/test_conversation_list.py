"""The list with its folders: each stands once, with all its conversations."""

from datetime import timedelta

import pytest
from django.utils import timezone

from playground import conversation_list
from playground.conversation_list import PAGE
from playground.models import Conversation
from playground.store import ConversationStore

pytestmark = pytest.mark.django_db


def make(*folders: str, **fields: bool) -> None:
    """A conversation in each of these folders, each a day older than the one before."""
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(
            title=f"{place} {folder}", folder=folder, changed_at=now - timedelta(days=place), **fields
        )
        for place, folder in enumerate(folders)
    )


def test_each_folder_stands_once_whatever_the_dates() -> None:
    make("Work", "Home", "", "Work", "", "Work")
    listed = ConversationStore(None).sidebar()
    assert [one["title"] for one in listed["conversations"]] == ["2 ", "4 "]
    assert [
        (folder["name"], folder["count"], [one["title"] for one in folder["conversations"]])
        for folder in listed["folders"]
    ] == [("Home", 1, ["1 Home"]), ("Work", 3, ["0 Work", "3 Work", "5 Work"])]


def test_pinned_ones_stand_on_top_and_not_in_their_folder() -> None:
    make("Work", "")
    make("Work", is_pinned=True)
    listed = ConversationStore(None).sidebar()
    assert [one["is_pinned"] for one in listed["conversations"]] == [True, False]
    (folder,) = listed["folders"]
    assert (folder["count"], len(folder["conversations"])) == (1, 1)


def test_long_folders_and_lists_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    make(*(["Work"] * (PAGE + 3)), *([""] * (PAGE + 1)))
    store = ConversationStore(None)
    listed = store.sidebar()
    (folder,) = listed["folders"]
    assert (len(folder["conversations"]), folder["count"], folder["has_more"]) == (PAGE, PAGE + 3, True)
    assert len(store.page(folder="Work", offset=PAGE)["conversations"]) == 3
    assert (len(listed["conversations"]), listed["has_more"]) == (PAGE, True)
    assert len(store.sidebar(PAGE)["conversations"]) == 1
    monkeypatch.setattr(conversation_list, "_MOST_IN_FOLDERS", 10)
    (folder,) = store.sidebar()["folders"]
    assert (len(folder["conversations"]), folder["count"], folder["has_more"]) == (10, PAGE + 3, True)
