"""`manage.py requests`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.admin.test_request_admin import record

pytestmark = pytest.mark.django_db


def requests(*args: str) -> str:
    out = StringIO()
    call_command("requests", *args, stdout=out)
    return out.getvalue()


def test_it_prints_a_table_the_phases_of_one_or_json() -> None:
    record(request_id="req_1", queued_ms=500, prefill_ms=1500, prompt_tokens=30, finish="stop")
    head, row = requests().splitlines()
    assert head.split()[0] == "TIME" and row.endswith("this machine  tiny   stop   30  0    2.00 s    req_1")
    lines = [line.split() for line in requests("req_1").splitlines()]
    assert [line[0] for line in lines] == ["tiny", "queued", "loading", "prefill", "decode", "all"]
    assert lines[3][1:] == ["1.50", "s", "30", "tokens", "at", "20", "tokens/s"]
    assert json.loads(requests("--json"))["requests"][0] == json.loads(requests("req_1", "--json"))


def test_what_is_not_there_is_said() -> None:
    assert requests() == "There are no records of requests.\n"
    with pytest.raises(CommandError, match="no record of a request with the id req_2"):
        requests("req_2")
