"""What users did, as the admin lists it later."""

import re

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inference.accounts import audit_log
from tests.accounts.making import make_key

pytestmark = pytest.mark.django_db
KEYS = reverse("admin:inference_apikey_changelist")


def done(staff: Client) -> list[str]:
    page = staff.get(reverse("admin:index")).content.decode()
    return re.findall(r"<span data-done>(.*?)</span>", page)


def test_recent_actions_say_what_was_done(staff: Client) -> None:
    assert "Nothing yet" in staff.get(reverse("admin:index")).content.decode()
    key, _ = make_key()
    staff.post(KEYS, {"action": "revoke", "_selected_action": [key.pk]})
    staff.post(reverse("admin:inference_apikey_delete", args=[key.pk]), {"post": "yes"})
    assert done(staff) == ["Deleted.", "Revoked."]


def test_an_entry_of_the_operator_is_in_the_history_of_the_row() -> None:
    key, _ = make_key()
    olivia = User.objects.create_superuser("olivia")
    audit_log.record(olivia, key.owner, key, "Renewed.")
    audit_log.record(None, key.owner, key, "Revoked.")
    entries = LogEntry.objects.filter(object_id=str(key.pk)).order_by("pk")
    texts = [(entry.user, entry.change_message) for entry in entries]
    assert texts == [(olivia, "Renewed."), (key.owner, "Revoked. The operator did this.")]


def test_what_has_no_page_is_named_without_a_link(staff: Client) -> None:

    LogEntry.objects.create(
        user=User.objects.get(), object_repr="<gone>", action_flag=CHANGE, change_message="Stopped <it>."
    )
    assert done(staff) == ["Stopped &lt;it&gt;."]
