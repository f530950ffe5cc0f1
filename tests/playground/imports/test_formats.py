"""Chats of other programs become chats of this site: every branch, date, model and tool call."""

import base64
import html
import json
from typing import Any

import pytest

from inference.api.http import strict_json
from inference.core.errors import InvalidValue
from playground.imports import formats
from playground.schemas import ImportBody
from tests import tiny_vision
from tests.each import each
from tests.playground.imports import exports

JUNE = "2024-06-10T06:13:20"


def converted(chat: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    """The name of the format, the fields as they are stored, and the note."""
    name, chat_of_ours = formats.convert(json.dumps(chat))
    body = strict_json.check(chat_of_ours.fields, ImportBody)
    return name, body.model_dump(exclude_unset=True), chat_of_ours.note


def tree(fields: dict[str, Any]) -> list[tuple[int | None, str, str]]:
    return [(one["parent"], one["role"], one.get("content", "")) for one in fields["messages"]]


def test_chatgpt_keeps_branches_dates_models_and_the_tip() -> None:
    name, fields, note = converted(exports.chatgpt())
    assert (name, fields["title"], fields["is_pinned"], note) == ("ChatGPT", "Tea", True, "")
    assert tree(fields) == [
        (None, "user", "What is tea?"),
        (0, "assistant", "A drink."),
        (0, "assistant", "Leaves."),
        (2, "user", "And coffee?"),
        (3, "assistant", "Beans."),
    ]
    assert fields["tip"] == 1
    assert [one.get("model") for one in fields["messages"]] == [None, "gpt-4o", "gpt-4", None, ""]
    assert [one.get("status") for one in fields["messages"]] == [None, "done", "done", None, "stopped"]
    assert fields["created_at"].startswith(JUNE) and fields["changed_at"].startswith("2024-06-10T06:14:20")
    assert all(one["at"].startswith(JUNE) for one in fields["messages"])


def test_chatgpt_has_thoughts_tools_and_names_its_pictures() -> None:
    _, fields, note = converted(exports.chatgpt_with_tools())
    assert tree(fields) == [
        (None, "user", "[picture]\n\nRun this"),
        (0, "assistant", ""),
        (1, "assistant", "It printed 1."),
    ]
    call = fields["messages"][1]
    assert call["reasoning"] == "I run it."
    assert call["calls"] == [
        {"id": "c", "name": "python", "arguments": '{"input": "print(1)"}', "result": "1\n"}
    ]
    assert fields["tip"] == 1 and note == "Without 1 picture that the file only names."


@each(
    "change",
    [
        {"mapping": {}},
        {"mapping": {"a": {"message": None}}, "current_node": None},
        {"mapping": {"a": exports.node("a", "a", "a", **exports.said("user", "alone"))}},
        {"title": None, "create_time": None, "update_time": "2024-06-10T06:13:20Z"},
        {"title": 7, "current_node": "nowhere", "create_time": 1e30},
    ],
)
def test_a_strange_chat_of_chatgpt_is_still_a_chat(change: dict[str, Any]) -> None:
    name, fields, _ = converted(exports.chatgpt(**change))
    assert name == "ChatGPT" and fields["tip"] is None or fields["messages"]


def test_a_chat_of_chatgpt_that_is_thousands_of_messages_deep() -> None:
    count = 5000
    nodes = [node_of(number) for number in range(count)]
    _, fields, _ = converted(exports.chatgpt(mapping={one["id"]: one for one in nodes}, current_node="4999"))
    assert len(fields["messages"]) == count and fields["tip"] == count - 1


def node_of(number: int) -> dict[str, Any]:
    parent = str(number - 1) if number else None
    role = "assistant" if number % 2 else "user"
    return exports.node(str(number), parent, str(number + 1), **exports.said(role, f"text {number}"))


@pytest.mark.parametrize("wrap", [lambda chat: chat, lambda chat: chat["chat"]])
def test_open_webui_keeps_branches_reasoning_calls_files_and_the_prompt(wrap: Any) -> None:
    name, fields, note = converted(wrap(exports.open_webui()))
    assert (name, fields["title"], fields["settings"]) == ("Open WebUI", "Time", {"system": "Be brief."})
    assert tree(fields) == [
        (None, "user", "What time?"),
        (0, "assistant", "It is noon."),
        (0, "assistant", "It"),
    ]
    question, first, second = fields["messages"]
    assert question["attachments"] == [{"name": "notes.txt", "text": "My notes."}]
    assert first["reasoning"] == "Let me see.\nYes."
    assert first["calls"] == [
        {"id": "call_1", "name": "get_time", "arguments": '{"zone": "UTC"}', "result": "noon"}
    ]
    assert (first["model"], first["status"], second["status"]) == ("llama3", "done", "stopped")
    assert fields["tip"] == 1 and first["at"].startswith("2024-06-10T06:13:25")
    assert note == "A picture was left out. It is not valid base64."


def open_webui_answer(content: str) -> dict[str, Any]:
    """The only answer of a chat, as it is converted."""
    messages = {
        "u": {"id": "u", "parentId": None, "role": "user", "content": "Do it"},
        "a": {"id": "a", "parentId": "u", "role": "assistant", "content": content},
    }
    history = {"messages": messages, "currentId": "a"}
    _, fields, _ = converted(exports.open_webui(chat={"history": history}))
    answer: dict[str, Any] = fields["messages"][1]
    return answer


@pytest.mark.parametrize("result_in_body", [False, True])
def test_open_webui_writes_the_arguments_of_calls_as_json_in_json(result_in_body: bool) -> None:
    arguments = html.escape(json.dumps(json.dumps({"city": "Paris > 1"})))
    result = html.escape(json.dumps('{"sky": "clear"}'))
    attribute, body = ("", f"{result}\n") if result_in_body else (f' result="{result}"', "")
    answer = open_webui_answer(
        f'<details type="tool_calls" done="true" id="c" name="look" arguments="{arguments}"{attribute}>\n'
        f"<summary>Tool Executed</summary>\n{body}</details>\nClear."
    )
    assert answer["content"] == "Clear."
    call = {"id": "c", "name": "look", "arguments": '{"city": "Paris > 1"}', "result": '{"sky": "clear"}'}
    assert answer["calls"] == [call]


def test_open_webui_keeps_what_its_code_interpreter_ran() -> None:
    output = html.escape(json.dumps({"stdout": "1\n"}))
    answer = open_webui_answer(
        f'<details type="code_interpreter" done="true" duration="1" output="{output}">\n'
        "<summary>Analyzed</summary>\n```python\nprint(1)\n```\n</details>\nIt is 1."
    )
    (call,) = answer["calls"]
    assert (answer["content"], call["name"]) == ("It is 1.", "code_interpreter")
    assert (json.loads(call["arguments"]), call["result"]) == ({"code": "print(1)"}, '{"stdout": "1\\n"}')


def test_open_webui_has_pictures_in_the_file() -> None:
    picture = tiny_vision.picture(tiny_vision.drawn(4, 3))
    address = f"data:image/png;base64,{base64.b64encode(picture.data).decode()}"
    files = [{"type": "image", "url": address}, {"type": "image", "url": "2f1c-an-id", "name": "other.png"}]
    messages = {"u": {"id": "u", "parentId": None, "role": "user", "content": "Look", "files": files}}
    chat = {"history": {"messages": messages, "currentId": "u"}}
    _, fields, note = converted(exports.open_webui(chat=chat))
    (attachment,) = fields["messages"][0]["attachments"]
    assert fields["pictures"][attachment["id"]].data == picture.data
    assert (attachment["width"], attachment["height"], attachment["media_type"]) == (4, 3, "image/png")
    assert note == "Without 1 picture that the file only names."
    assert exports.open_webui(chat=chat) and converted(exports.open_webui(chat=chat))[1] == fields  # same ids


def test_open_webui_keeps_pins_dates_and_what_is_archived() -> None:
    _, fields, _ = converted(exports.open_webui(archived=True))
    assert (fields["is_pinned"], fields["folder"]) == (True, "Archived")
    assert fields["created_at"].startswith(JUNE) and fields["changed_at"].startswith("2024-06-10T06:15:00")


@pytest.mark.parametrize("chat", [exports.librechat(), exports.librechat_tree()])
def test_librechat_keeps_branches_reasoning_calls_and_the_prompt(chat: dict[str, Any]) -> None:
    name, fields, _ = converted(chat)
    assert (name, fields["title"], fields["settings"]) == ("LibreChat", "Colours", {"system": "Be kind."})
    assert tree(fields) == [(None, "user", "Colour?"), (0, "assistant", "Grey."), (0, "assistant", "Blue.")]
    last = fields["messages"][-1]
    assert (last["reasoning"], last["model"], last["status"]) == ("Hm.", "claude-3", "stopped")
    assert last["calls"] == [{"id": "t1", "name": "look", "arguments": "{}", "result": "sky"}]
    assert fields["tip"] == 2 and fields["messages"][0]["at"].startswith(JUNE)


def test_librechat_without_ids_of_parents_is_a_list() -> None:
    messages = [
        {"messageId": "a", "sender": "User", "text": "One"},
        {"messageId": "b", "sender": "Bot", "text": "Two"},
        {"messageId": "c", "sender": "User", "text": "Three"},
    ]
    _, fields, _ = converted(exports.librechat(messages=messages))
    assert tree(fields) == [(None, "user", "One"), (0, "assistant", "Two"), (1, "user", "Three")]


def test_half_an_emoji_is_replaced() -> None:
    chat = exports.chatgpt()
    chat["mapping"]["q1"]["message"]["content"]["parts"] = ["Tea \ud83c"]
    _, fields, _ = converted(chat)
    assert fields["messages"][0]["content"] == "Tea \ufffd"


@each(
    "text",
    ["{}", '{"a": 1}', "{broken", '{"messages": [{"role": "user"}]}', '{"format": "mlxsite-conversation-9"}']
    + ["[" * 100_000],
)
def test_what_is_no_chat_is_named(text: str) -> None:
    with pytest.raises(InvalidValue):
        formats.convert(text)
