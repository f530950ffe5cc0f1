"""All chats of a file: the good ones come in, the others are named, and none comes twice."""

import gc
import io
import json
import zipfile
from typing import Any
from uuid import UUID

import pytest

from inference.core.errors import InvalidValue
from playground.export import to_json
from playground.imports import report
from playground.imports.importer import Importer
from playground.models import Conversation, Message
from playground.store import ConversationStore
from tests.playground.imports import exports

pytestmark = pytest.mark.django_db


def run(value: Any, **options: Any) -> Importer:
    """Import a value as JSON, or bytes as they are."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    importer = Importer(ConversationStore(None), **options)
    for _ in importer.chats(io.BytesIO(content)):
        pass
    return importer


def outcomes(importer: Importer) -> list[tuple[str, str, str]]:
    return [(one["outcome"], one["title"], one["note"]) for one in importer.report.payload["chats"]]


def exported_all() -> bytes:
    store = ConversationStore(None)
    chats = ", ".join(to_json(store.exported(pk)) for pk in store.ids())
    return f'{{"format": "mlxsite-conversations-1", "conversations": [{chats}]}}'.encode()


def listed() -> list[tuple[str, str, bool, str, str]]:
    return [
        (one["title"], one["folder"], one["is_pinned"], one["changed_at"], one.get("share") or "")
        for one in ConversationStore(None).page()["conversations"]
    ]


def test_one_broken_chat_does_not_spoil_the_others() -> None:
    long = exports.chatgpt(title="Long", conversation_id="c-9")
    long["mapping"]["q1"]["message"]["content"]["parts"] = ["x" * 1_000_001]
    chats = [
        exports.chatgpt(),
        {"mapping": []},
        {"title": "Odd", "mapping": {"a": {"message": {"author": 7}}}},
        long,
        exports.open_webui(),
    ]
    text = json.dumps(chats)[:-1] + ', {"mapping": {"a": oops}}, ' + json.dumps(exports.librechat()) + "]"
    importer = run(text.encode())
    assert [one[:2] for one in outcomes(importer)] == [
        ("imported", "Tea"),
        ("failed", "Chat 2 of the file"),
        ("failed", "Odd"),
        ("failed", "Long"),
        ("imported", "Time"),
        ("failed", "Chat 6 of the file"),
        ("imported", "Colours"),
    ]
    assert all(note for outcome, _, note in outcomes(importer) if outcome == "failed")
    assert importer.report.payload["formats"] == ["ChatGPT", "Open WebUI", "LibreChat"]
    assert Conversation.objects.count() == 3


def test_a_second_import_adds_what_has_grown_and_nothing_twice() -> None:
    assert run([exports.chatgpt(), exports.librechat()]).report.payload["imported"] == 2
    again = run([exports.chatgpt(), exports.librechat(), exports.chatgpt_with_tools()])
    assert [one[0] for one in outcomes(again)] == ["duplicate", "duplicate", "imported"]
    grown = exports.librechat()
    grown["messages"].append({**grown["messages"][0], "messageId": "m9", "parentMessageId": "m3"})
    assert run(grown).report.payload["imported"] == 1
    assert run(exports.chatgpt(), takes_copies=True).report.payload["imported"] == 1
    assert Conversation.objects.count() == 5


def test_what_was_deleted_comes_back() -> None:
    first = run(exports.chatgpt()).single
    assert first
    ConversationStore(None).delete(UUID(first["id"]))
    assert run(exports.chatgpt()).report.payload["imported"] == 1


def test_all_own_chats_come_back_as_they_were() -> None:
    run([exports.chatgpt(), exports.open_webui(), exports.librechat()])
    Conversation.objects.filter(title="Tea").update(folder="Work", share="secret")
    before, messages = listed(), [one.exported for one in Message.objects.order_by("content", "pk")]
    everything = exported_all()
    assert [one[0] for one in outcomes(run(everything))] == ["duplicate"] * 3
    Conversation.objects.all().delete()
    assert run(everything).report.payload["imported"] == 3
    assert [one[:4] for one in listed()] == [one[:4] for one in before]
    assert not any(one[4] for one in listed())  # a link is not shared again by itself
    assert [one.created_at.year for one in Conversation.objects.all()] == [2024] * 3
    for old, new in zip(messages, Message.objects.order_by("content", "pk"), strict=True):
        files = [(one["name"], one["text"]) for one in old["attachments"]]
        assert [(one["name"], one["text"]) for one in new.exported["attachments"]] == files
        same = ("role", "content", "reasoning", "calls", "model", "status", "error", "at")
        assert {name: old[name] for name in same} == {name: new.payload[name] for name in same}
    tips = Conversation.objects.order_by("title").values_list("tip__content", flat=True)
    assert list(tips) == ["Blue.", "A drink.", "It is noon."]


def test_an_older_export_has_the_date_of_its_last_message() -> None:
    messages: list[dict[str, Any]] = [
        {"id": 1, "parent": None, "role": "user", "content": "Hi", "at": "2023-05-01T10:00:00+00:00"},
        {"id": 2, "parent": 1, "role": "assistant", "content": "Yo", "at": "2023-05-02T10:00:00+00:00"},
    ]
    run({"format": "mlxsite-conversation-1", "title": "Old", "messages": messages})
    (chat,) = Conversation.objects.all()
    assert (chat.created_at.isoformat(), chat.changed_at.isoformat()) == (
        messages[0]["at"],
        messages[1]["at"],
    )


def test_an_export_made_while_an_answer_ran_has_it_as_stopped() -> None:
    answer = {"id": 2, "parent": 1, "role": "assistant", "content": "Half", "status": "answering"}
    question = {"id": 1, "parent": None, "role": "user", "content": "Hi"}
    running = {**answer, "thinking": True, "waiting": {"phase": "prefill"}, "of_a_later_version": 1}
    run({"format": "mlxsite-conversation-1", "messages": [question, running]})
    stored = Message.objects.get(role="assistant")
    assert (stored.status, stored.content) == ("stopped", "Half")


def test_one_chat_of_this_site_is_copied_once() -> None:
    run(exports.chatgpt())
    store = ConversationStore(None)
    one = to_json(store.exported(store.ids()[0])).encode()
    assert run(one).report.payload["imported"] == 1
    again = run(one)
    assert again.report.payload["duplicate"] == 1 and again.single


def test_what_has_no_messages_is_left_out_of_many() -> None:
    importer = run([exports.chatgpt(mapping={}), exports.librechat()])
    assert outcomes(importer)[0] == ("failed", "Tea", "It has no messages.")


def test_the_report_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_LISTED", 2)
    payload = run([{"a": 1}] * 9).report.payload
    assert payload["failed"] == 9 and len(payload["chats"]) == 2


@pytest.mark.parametrize("content", [b"[]", b"[1, 2]", b"oops", b'{"conversations": []}'])
def test_a_file_without_chats_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValue, match="not an exported conversation"):
        run(content)


def test_what_came_before_a_damaged_part_of_an_archive_stays() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("conversations-000.json", json.dumps([exports.chatgpt(), exports.librechat()]))
        opened.writestr("conversations-001.json", json.dumps([exports.open_webui()]))
    damaged = made.getvalue().replace(b"Be brief.", b"Be brave.")
    with pytest.raises(InvalidValue, match="damaged"):
        run(damaged)
    assert Conversation.objects.count() >= 1


def test_what_was_imported_is_freed_without_a_collection_of_garbage() -> None:
    """Collections wait while a file is imported, and then look at all that is left of it."""
    gc.collect()
    before = {id(one): one for one in rows_in_memory()}  # of other tests: kept, so that no id is used again
    gc.disable()
    try:
        run([exports.chatgpt(), exports.open_webui()])
        assert [one for one in rows_in_memory() if id(one) not in before] == []
    finally:
        gc.enable()


def rows_in_memory() -> list[Message | Conversation]:
    # Not isinstance(), which evaluates the lazy objects that other tests have left.
    return [one for one in gc.get_objects() if issubclass(type(one), Message | Conversation)]
