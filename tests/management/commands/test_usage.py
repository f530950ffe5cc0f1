"""`manage.py usage`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.models.test_usage_hour import an_hour

pytestmark = pytest.mark.django_db


def usage(*args: str) -> str:
    out = StringIO()
    call_command("usage", *args, stdout=out)
    return out.getvalue()


def test_it_prints_a_table_csv_or_json() -> None:
    an_hour(prompt_tokens=1500, errors=1).save()
    head, row, total = usage("--range", "24h").splitlines()
    assert head.split()[:2] == ["MODEL", "REQUESTS"]
    assert row.split() == ["tiny", "1", "1,500", "0", "0", "1"] and total.split()[0] == "all"
    assert usage("--csv", "--zone", "UTC").splitlines()[1].endswith("+00:00,tiny,1,1500,0,0,1")
    assert json.loads(usage("--json"))["total"]["prompt_tokens"] == 1500


def test_nothing_was_used() -> None:
    assert usage("--by", "key") == "No requests in this period.\n"


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match="Europe/Berlin"):
        usage("--zone", "Nowhere/Town")
