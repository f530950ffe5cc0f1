"""A database that cannot be used is an error of the command, with the way out."""

import pytest
from django.core.management import CommandError
from django.db import OperationalError

from inference.core.installation import PROGRAM
from inference.management import database


def test_the_error_names_its_cause_and_the_command_that_makes_the_database() -> None:
    with pytest.raises(CommandError, match="no such table: auth_user") as refused, database.in_use():
        raise OperationalError("no such table: auth_user")
    assert f"`{PROGRAM} serve`" in str(refused.value)


def test_other_errors_are_not_its_own() -> None:
    with pytest.raises(KeyError), database.in_use():
        raise KeyError
