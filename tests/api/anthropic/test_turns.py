"""What the model reads of messages in Anthropic's form."""

from typing import Any

import pytest

from inference.api.anthropic import signature
from inference.core.errors import InvalidValue, UnsupportedField
from inference.core.requests import PICTURE, Message, Picture, ToolCall
from tests.api.anthropic.asking import HELLO, asked, read, text, turns
from tests.each import each
from tests.pictures import as_base64, png

USE = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {"zone": "é"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}
CALLED = [*HELLO, {"role": "assistant", "content": [USE]}]
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": as_base64(png())},
}
RED = Picture(data=png(), media_type="image/png", width=3, height=2)
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Ships sail."}}
SEARCH: Any = {
    "type": "search_result",
    "title": "Ships",
    "source": "http://x",
    "content": [text("They sail.")],
}


def last(**fields: Any) -> Message:
    return asked(**fields).messages[-1]


def test_texts_and_blocks_are_read() -> None:
    assert last(messages=HELLO) == Message(role="user", content="Hello")
    assert last(**turns(text("One."), text("Two."))).content == "One.\n\nTwo."
    assert last(messages=[{"role": "user", "content": []}]) == Message(role="user", content="")


def test_images_are_pictures_at_their_places() -> None:
    assert last(**turns(text("One."), text("Two."), IMAGE, text("What?"), IMAGE)) == Message(
        role="user", content=f"One.\n\nTwo.{PICTURE}What?{PICTURE}", pictures=(RED, RED)
    )
    assert last(**turns(IMAGE)) == Message(role="user", content=PICTURE, pictures=(RED,))


def test_images_in_results_are_pictures_of_the_tool() -> None:
    result = RESULT | {"content": [text("It is"), IMAGE], "is_error": True}
    made = asked(**turns(text("See"), IMAGE, result, IMAGE, before=CALLED)).messages[2:]
    assert made == (
        Message(role="user", content=f"See{PICTURE}", pictures=(RED,)),
        Message(
            role="tool",
            content=f"Error: It is{PICTURE}",
            pictures=(RED,),
            tool_call_id="toolu_1",
        ),
        Message(role="user", content=PICTURE, pictures=(RED,)),
    )


@each(
    ("source", "param"),
    [
        ({"data": "iVBORw0KGgo="}, "messages.0.content.0.source.data"),
        ({"data": "no base64"}, "messages.0.content.0.source.data"),
        ({"data": 5}, "messages.0.content.0.source.data"),
        ({"media_type": "image/bmp"}, "messages.0.content.0.source.media_type"),
    ],
)
def test_an_image_that_cannot_be_read_is_refused_at_its_place(source: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(**turns({"type": "image", "source": {**IMAGE["source"], **source}}))  # type: ignore[dict-item]
    assert caught.value.param == param
    if isinstance(source.get("data", ""), str):
        assert "could not process image" in caught.value.message


def test_the_data_decide_the_type_of_an_image() -> None:
    for kind in ("image/jpeg", "image/jpg"):
        source = {"type": "base64", "media_type": kind, "data": as_base64(png())}
        (message,) = asked(**turns({"type": "image", "source": source})).messages
        assert message.pictures == (RED,)


def test_only_a_user_shows_images() -> None:
    with pytest.raises(InvalidValue) as caught:
        read(messages=[*HELLO, {"role": "assistant", "content": [IMAGE]}, *HELLO])
    assert caught.value.param == "messages.1.content.0.type"


def test_the_system_comes_first() -> None:
    for system in ("Be brief.\n\nBe kind.", [text("Be brief."), text("Be kind.", cache_control={})]):
        first, _ = asked(system=system).messages
        assert first == Message(role="system", content="Be brief.\n\nBe kind.")
    assert len(asked(system="").messages) == len(asked(system=[]).messages) == 1


def test_a_system_message_keeps_its_place() -> None:
    messages = [*HELLO, {"role": "system", "content": [text("Be brief.")]}, *HELLO]
    assert [message.role for message in asked(messages=messages).messages] == ["user", "system", "user"]


def test_a_system_message_may_be_for_one_turn() -> None:
    note = {"role": "system", "content": "Be brief.", "clear_at": "next_user_message"}
    assert [one.role for one in asked(messages=[*HELLO, note]).messages] == ["user", "system"]
    assert [one.role for one in asked(messages=[*HELLO, note, *HELLO]).messages] == ["user", "user"]
    kept = note | {"clear_at": "never"}
    assert len(asked(messages=[*HELLO, kept, *HELLO]).messages) == 3


def test_an_answer_is_read_with_its_reasoning_and_calls() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "of another server"}
    answer = {"role": "assistant", "content": [thinking, text("I "), text("look."), USE]}
    made = asked(messages=[*HELLO, answer, *turns(RESULT)["messages"]]).messages[1]
    call = ToolCall(id="toolu_1", name="now", arguments='{"zone": "é"}')
    assert made == Message(role="assistant", content="I look.", reasoning="Hm.", tool_calls=(call,))


def test_a_signature_gives_back_reasoning_that_was_left_out() -> None:
    block = {"type": "thinking", "thinking": "", "signature": signature.carrying("Hm, é.")}
    answer = {"role": "assistant", "content": [block, text("Yes.")]}
    assert asked(messages=[*HELLO, answer, *HELLO]).messages[1].reasoning == "Hm, é."
    for other in ("", "x", "mlx", "mlx.!", "mlx.gA=="):
        assert signature.reasoning_in(other) == ""


def test_results_are_messages_of_their_own_in_order() -> None:
    more = USE | {"id": "toolu_2"}
    before = [*HELLO, {"role": "assistant", "content": [USE, more]}]
    second = {"type": "tool_result", "tool_use_id": "toolu_2", "content": [text("one"), text("two")]}
    made = asked(**turns(RESULT, second, text("And now?"), before=before)).messages[2:]
    assert made == (
        Message(role="tool", content="noon", tool_call_id="toolu_1"),
        Message(role="tool", content="one\n\ntwo", tool_call_id="toolu_2"),
        Message(role="user", content="And now?"),
    )


@each(
    ("fields", "expected"),
    [
        ({"content": None}, ""),
        ({"content": []}, ""),
        ({"content": "no", "is_error": True}, "Error: no"),
        ({"content": "no", "is_error": False}, "no"),
        ({"content": "Error: no", "is_error": True}, "Error: no"),
        ({"content": "<tool_use_error>no", "is_error": True}, "<tool_use_error>no"),
        ({"content": [DOCUMENT]}, "Ships sail."),
        ({"content": [SEARCH]}, "Ships\nhttp://x\nThey sail."),
        ({"content": [{"type": "tool_reference", "tool_name": "now"}]}, "now"),
    ],
)
def test_a_result_is_read_as_text(fields: dict[str, Any], expected: str) -> None:
    assert last(**turns(RESULT | fields, before=CALLED)).content == expected
    summary = {"type": "compaction", "content": expected or "None."}
    assert last(**turns(summary, before=HELLO)).content == summary["content"]


def test_plain_documents_are_read() -> None:
    named = DOCUMENT | {"title": "On ships", "context": "Old.", "citations": {"enabled": False}}
    assert last(**turns(named, text("Why?"))).content == "On ships\nOld.\nShips sail.\n\nWhy?"
    blocks = {"type": "content", "content": [text("a"), text("b")]}
    assert last(**turns(DOCUMENT | {"source": blocks})).content == "a\n\nb"
    assert last(**turns(DOCUMENT | {"source": {"type": "content", "content": "a"}})).content == "a"
    with pytest.raises(InvalidValue, match="media_type"):
        read(**turns(DOCUMENT | {"source": {"type": "text", "media_type": "text/html", "data": "a"}}))


def test_an_assistants_summary_is_read_with_its_text() -> None:
    blocks = [{"type": "compaction", "content": "So far: ships. "}, text("Go on.")]
    answer = {"role": "assistant", "content": blocks}
    assert asked(messages=[*HELLO, answer, *HELLO]).messages[1].content == "So far: ships. Go on."


@each(
    "kind",
    ["server_tool_use", "web_search_tool_result", "redacted_thinking", "mcp_tool_use", "container_upload"],
)
def test_blocks_of_anthropics_servers_are_left_out_and_listed(kind: str) -> None:
    foreign = {"type": kind, "id": "srv", "data": "x", "content": [{"any": 1}]}
    answer = {"role": "assistant", "content": [foreign, text("Yes.")]}
    made = read(messages=[*HELLO, answer, *HELLO])
    assert made.request().messages[1] == Message(role="assistant", content="Yes.")
    assert list(made.left_out) == [f"messages.1.content.0:{kind}"]
    result = RESULT | {"content": [foreign, text("noon")]}
    made = read(**turns(result, before=CALLED))
    assert made.request().messages[-1].content == "noon"
    assert list(made.left_out) == [f"messages.2.content.0.content.0:{kind}"]


def test_the_answer_goes_on_with_a_last_assistant_message() -> None:
    for content in ("The answer is ", [text("The answer is ")]):
        request = asked(messages=[*HELLO, {"role": "assistant", "content": content}])
        assert request.continues and request.messages[-1].content == "The answer is "
    assert not asked(messages=HELLO).continues


@each("content", ["", [], [text("")]])
def test_an_empty_last_assistant_message_begins_an_answer(content: Any) -> None:
    request = asked(messages=[*HELLO, {"role": "assistant", "content": content}])
    assert not request.continues and request.messages == (Message(role="user", content="Hello"),)


@each(
    ("fields", "param", "expected"),
    [
        (turns({"type": "audio"}), "messages.0.content.0.type", "Could not process audio: .* only"),
        (turns(IMAGE | {"source": {"type": "file"}}), "messages.0.content.0.source.type", "type 'base64'"),
        (turns(IMAGE | {"source": {"type": "file"}}), "messages.0.content.0.source.type", "type 'base64'"),
        (
            turns(RESULT | {"content": [{"type": "video"}]}, before=CALLED),
            "messages.2.content.0.content.0.type",
            "Could not process video",
        ),
        (turns(DOCUMENT | {"source": {"type": "base64"}}), "messages.0.content.0.source.type", "type 'text'"),
        (turns(DOCUMENT | {"source": {"type": "url"}}), "messages.0.content.0.source.type", "type 'text'"),
        (turns(DOCUMENT | {"citations": {"enabled": True}}), "messages.0.content.0.citations", "citations"),
        (turns({"type": "hologram"}), "messages.0.content.0.type", "the types are text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(
    fields: dict[str, Any], param: str, expected: str
) -> None:
    with pytest.raises(UnsupportedField, match=expected) as caught:
        read(**fields)
    assert caught.value.param == param


@each(
    ("block", "wording"),
    [
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/a.png"}},
            "could not process image",
        ),
        (
            RESULT | {"content": [IMAGE | {"source": {"type": "file", "file_id": "file_1"}}]},
            "could not process image",
        ),
        (DOCUMENT | {"source": {"type": "base64", "media_type": "application/pdf"}}, "could not process pdf"),
        (RESULT | {"content": [DOCUMENT | {"source": {"type": "file"}}]}, "could not process pdf"),
    ],
)
def test_claude_code_recognises_what_it_has_to_take_out(block: dict[str, Any], wording: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        read(**turns(block, before=CALLED))
    assert wording in caught.value.message.lower()


@each(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": ""}]}, "messages"),
        ({"messages": CALLED}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        (turns("words"), "messages.0.content.0"),
        (turns({"text": "x"}), "messages.0.content.0"),
        (turns({"type": "text"}), "messages.0.content.0.text"),
        (turns(RESULT), "messages.0.content.0.tool_use_id"),
        (turns(USE), "messages.0.content.0.type"),
        (turns({"type": "thinking", "thinking": "x"}), "messages.0.content.0.type"),
        (turns(RESULT, role="assistant", before=CALLED), "messages.2.content.0.type"),
        (turns(USE | {"input": "{}"}, role="assistant"), "messages.0.content.0.input"),
        ({"system": 5}, "system"),
        ({"system": [{"type": "text"}]}, "system.0.text"),
    ],
)
def test_a_wrong_value_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(**fields)
    assert caught.value.param == param
