"""The admin's pages of request records."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inference.models.request_record import RequestRecord
from tests.accounts.making import make_key
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:inference_requestrecord_changelist")
ASKED = '{"type":"chat","model":"tiny","messages":[{"role":"user","content":"a secret question"}]}'
ANSWERED = '[{"answer":0,"part":"text","text":"a secret answer"}]'


def viewer(*rights: str) -> Client:
    return client_of("bob", "view_requestrecord", *rights)


def record(**changes: Any) -> RequestRecord:
    facts: dict[str, Any] = {
        "at": datetime.now(UTC),
        "principal_kind": "local",
        "model": "tiny",
        "kind": "chat",
    }
    phases = dict.fromkeys(("queued_ms", "loading_ms", "prefill_ms", "decode_ms"), 0)
    tokens = dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"), 0)
    return RequestRecord.objects.create(**(facts | phases | tokens | changes))


def page(client: Client, address: str = LIST, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def page_of(row: RequestRecord) -> str:
    return reverse("admin:inference_requestrecord_change", args=[row.pk])


def test_a_row_shows_the_caller_the_duration_the_tokens_and_the_end(staff: Client) -> None:
    key, _ = make_key(name="laptop")
    record(key=key, principal_kind="key", prefill_ms=1250, decode_ms=7, prompt_tokens=9, cached_tokens=4)
    record(error="pool_full")
    record(has_left=True)
    shown = page(staff)
    assert all(
        text in shown for text in ("laptop", "prefill 1.2 s, decode 0.007 s", "9 in (4 cached), 0 out")
    )
    assert '<span title="pool_full"><strong>Memory was full of busy models</strong></span>' in shown
    assert "Cancelled by the client" in shown


def test_a_page_shows_how_many_drafted_tokens_were_accepted(staff: Client) -> None:
    assert "1,200, 900 of them accepted" in page(
        staff, page_of(record(drafted_tokens=1200, accepted_tokens=900))
    )
    assert "Drafted answer tokens" in page(staff, page_of(record()))


def test_it_is_searched_and_filtered(staff: Client) -> None:
    key, _ = make_key(name="laptop")
    record(model="org/one", key=key)
    record(model="org/two", error="pool_full")
    record(model="org/three", finish="length")
    rows = {
        "org/one": ({"q": "laptop"}, {"key__id__exact": str(key.pk)}, {"model": "org/one"}),
        "org/two": ({"q": "org/two"}, {"error": "pool_full"}, {"q": "pool_full"}, {"q": "busy models"}),
        "org/three": ({"q": "token limit"}, {"finish": "length"}),
    }
    for name, queries in rows.items():
        for query in queries:
            found = page(staff, **query).split('id="result_list"')[1].split("</table>")[0]
            assert [one for one in rows if one in found] == [name]


def test_a_page_shows_the_origin_of_the_request(staff: Client) -> None:
    row = record(dialect="openai chat", request_id="trace-1", noted="num_ctx, messages.0.id")
    fields = dict(
        re.findall(r'<label>(.+?):</label>\s*<div class="readonly">(.+?)</div>', page(staff, page_of(row)))
    )
    expected = {"API": "openai chat", "Request id": "trace-1", "Noted fields": "num_ctx, messages.0.id"}
    assert expected.items() <= fields.items()
    assert page(staff, page_of(record())).count('<div class="readonly">-</div>') == 3


def test_a_request_is_found_by_its_id_and_its_api(staff: Client) -> None:
    record(model="org/one", request_id="req_0123456789ab", dialect="ollama")
    record(model="org/two", request_id="req_ba9876543210")
    for query in ({"q": "req_0123456789ab"}, {"q": "0123"}, {"dialect": "ollama"}):
        found = page(staff, **query).split('id="result_list"')[1].split("</table>")[0]
        assert "org/one" in found and "org/two" not in found


def test_it_is_narrowed_to_days_without_a_function_for_every_row(staff: Client) -> None:
    record(model="org/old", at=datetime.now(UTC) - timedelta(days=9))
    record(model="org/new")
    with CaptureQueriesContext(connection) as asked:
        page(staff)
    assert not [query["sql"] for query in asked if "django_datetime" in query["sql"]]
    today = {"at__gte": f"{datetime.now(UTC).date()} 00:00:00+00:00"}
    found = page(staff, **today).split('id="result_list"')[1].split("</table>")[0]
    assert "org/new" in found and "org/old" not in found
    assert "Past 7 days" in page(staff)


def test_the_list_does_not_load_captured_text(staff: Client) -> None:
    record(prompt="a secret question", answer="a secret answer")
    with CaptureQueriesContext(connection) as asked:
        page(staff)
    rows = [query["sql"] for query in asked if 'FROM "inference_requestrecord"' in query["sql"]]
    assert rows and not [sql for sql in rows if '"prompt"' in sql or '"answer"' in sql]


def test_no_filter_is_without_a_label(staff: Client) -> None:
    record(finish="stop")
    record(error="queue_full")
    text = page(staff)
    assert "<h1>Requests</h1>" in text
    assert re.search(r'<a href="\?error=queue_full">\s*The queue was full<', text)
    assert re.search(r'<a href="\?finish=stop">\s*Completed<', text)
    for query in ("error=", "finish="):
        assert re.search(rf'<a href="\?{query}">\s*none', text), query
    assert "queue_full" not in page(staff, error="").partition('id="result_list"')[2].partition("</table>")[0]


def test_nobody_writes_or_deletes_it(staff: Client) -> None:
    row = record()
    addresses = (page_of(row), page_of(row).replace("change", "delete"), LIST + "add/")
    assert [staff.post(address, {"model": "x"}).status_code for address in addresses] == [403] * 3
    assert RequestRecord.objects.get().model == "tiny"


def test_captured_text_is_read_with_the_permission_and_announced_without(staff: Client) -> None:
    row = record(prompt=ASKED, answer=ANSWERED)
    hidden = page(viewer(), page_of(row))
    assert "a secret" not in hidden and "Stored. Reading them requires the permission" in hidden
    assert page(staff, page_of(row)).count("a secret") == 2
    assert "Not stored" in page(staff, page_of(record()))


def test_a_page_names_each_figure_and_its_unit(staff: Client) -> None:
    row = record(principal_kind="key", prompt_tokens=1234, decode_ms=8479)
    fields = dict(
        re.findall(r'<label>(.+?):</label>\s*<div class="readonly">(.+?)</div>', page(staff, page_of(row)))
    )
    expected = {"Prompt tokens": "1,234", "Caller": "the operator&#x27;s key"}
    assert expected.items() <= fields.items() and "API key" not in fields
    assert "8.5 s" in fields["Phases"]


@pytest.mark.parametrize(
    ("search", "found"),
    [("local", "this machine"), ("this machine", "this machine"), ("Operator", "the operator&#x27;s key")],
)
def test_callers_without_a_name_are_found_by_what_the_list_calls_them(
    staff: Client, search: str, found: str
) -> None:
    for kind, name in {"local": "", "key": "", "user": "ann"}.items():
        record(principal_kind=kind, principal=name)
    shown = re.findall(r'<td [^>]*class="field-caller_and_kind">(.+?) <span', page(staff, q=search))
    assert shown == [found]
    assert "Searches the caller" in page(staff)


def test_text_of_a_client_is_no_markup(staff: Client) -> None:
    row = record(model="<script>alert(1)</script>", prompt=ASKED.replace("a secret", "<script>alert(2)"))
    assert "&lt;script&gt;alert(2)" in page(staff, page_of(row))
    assert "<script>alert" not in page(staff) + page(staff, page_of(row))
