from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from inference.accounts import sign_in_throttle

pytestmark = pytest.mark.django_db


def unlock(*args: str) -> str:
    out = StringIO()
    call_command("unlock", *args, stdout=out)
    return out.getvalue().strip()


def test_it_lists_the_failures_and_lifts_their_wait() -> None:
    User.objects.create_user("ann")
    assert unlock() == "No sign-in has failed within the last hour."
    for name, address in (("ann", "203.0.113.7"), ("ann", "203.0.113.7"), ("nobody", "127.0.0.1")):
        sign_in_throttle.admit(name, address)
    lines = {tuple(line.split()[:-3]) for line in unlock().splitlines()}
    assert ("ann", "203.0.113.7", "2")[:2] in {line[:2] for line in lines}
    assert "(no such account)" in unlock() and "this machine" in unlock()
    assert unlock("ann") == "Cleared 2 failed sign-ins; the next attempt does not have to wait."
    with pytest.raises(CommandError, match="No sign-in to or from 'ann' has failed"):
        unlock("ann")
