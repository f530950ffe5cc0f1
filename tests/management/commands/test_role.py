from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def role(*arguments: str) -> str:
    out = StringIO()
    call_command("role", *arguments, stdout=out)
    return out.getvalue().strip()


def test_it_says_sets_and_logs_a_role() -> None:
    ann = User.objects.create_user("ann")
    assert role("ann") == "ann: may chat"
    assert role("ann", "manage") == "ann: may manage"
    assert User.objects.get(pk=ann.pk).is_staff
    entry = LogEntry.objects.get(object_id=str(ann.pk))
    text = "Role: may manage, before: may chat. The operator did this."
    assert (entry.get_change_message(), entry.user) == (text, ann)
    role("ann", "manage")
    assert LogEntry.objects.count() == 1  # nothing changed


def test_it_refuses_what_leaves_nobody_who_may_do_everything() -> None:
    User.objects.create_superuser("olivia")
    with pytest.raises(CommandError, match="last owner"):
        role("olivia", "chat")
    assert role("olivia") == "olivia: owner"


def test_wrong_words_are_told_what_there_is() -> None:
    User.objects.create_user("ann")
    with pytest.raises(CommandError, match="There is no account 'nobody'"):
        role("nobody")
    with pytest.raises(CommandError, match="custom"):
        role("ann", "custom")
