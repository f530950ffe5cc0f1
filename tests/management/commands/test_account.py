from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def account(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("account", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_accounts_are_listed_disabled_and_enabled() -> None:
    User.objects.create_superuser("olivia")
    ann = User.objects.create_user("ann")
    assert [line.split()[0] for line in account()] == ["NAME", "ann", "olivia"]
    assert "disabled" in account("ann", "--disable")[1]
    ann.refresh_from_db()
    assert not ann.is_active
    assert "active" in account("ann", "--enable")[1]
    texts = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert texts == ["Disabled. The operator did this.", "Enabled. The operator did this."]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nobody",), "no account 'nobody'"),
        (("--disable",), "Name the account"),
        (("olivia", "--disable"), "last owner"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], text: str) -> None:
    User.objects.create_superuser("olivia")
    with pytest.raises(CommandError, match=text):
        account(*arguments)
    assert User.objects.get().is_active
