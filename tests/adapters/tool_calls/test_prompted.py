"""Tools in a system message, for templates that know none."""

import json

from msgspec import structs

from inference.adapters.tool_calls.prompted import with_prompted_tools
from inference.core.requests import PICTURE, Message, Picture, Tool, ToolCall

ADD = Tool(name="add", description="Adds.", parameters='{"type":"object"}')
QUESTION = Message(role="user", content="2 and 3?")
CALLED = Message(
    role="assistant",
    content="Let me see.",
    tool_calls=(
        ToolCall(id="1", name="add", arguments='{"a": 2}'),
        ToolCall(id="2", name="add", arguments="{}"),
    ),
)
RESULTS = [Message(role="tool", content=text, tool_call_id=text) for text in ("5", "0")]


def test_the_tools_have_a_system_message_of_their_own() -> None:
    first, second = with_prompted_tools([QUESTION], [ADD])
    assert (first.role, second) == ("system", QUESTION)
    (line,) = [line for line in first.content.splitlines() if line.startswith('{"name": "add"')]
    assert json.loads(line)["parameters"] == {"type": "object"}


def test_they_follow_the_system_message() -> None:
    kind = Message(role="system", content="Be kind.")
    first, _ = with_prompted_tools([kind, QUESTION], [ADD])
    assert first.content.startswith("Be kind.\n\nYou can call")


def test_a_call_becomes_what_the_model_would_have_written() -> None:
    call = with_prompted_tools([QUESTION, CALLED], [])[1]
    assert call == Message(
        role="assistant",
        content='Let me see.\n<tool_call>\n{"name": "add", "arguments": {"a": 2}}\n</tool_call>\n'
        '<tool_call>\n{"name": "add", "arguments": {}}\n</tool_call>',
    )


def test_results_that_follow_each_other_are_one_turn_of_the_user() -> None:
    turns = with_prompted_tools([QUESTION, CALLED, *RESULTS, QUESTION], [])
    assert [turn.role for turn in turns] == ["user", "assistant", "user", "user"]
    assert turns[2].content == "<tool_response>\n5\n</tool_response>\n<tool_response>\n0\n</tool_response>"


def test_a_conversation_without_tools_stays_as_it_is() -> None:
    assert with_prompted_tools([QUESTION], []) == [QUESTION]


def test_the_pictures_of_results_stay_at_their_places() -> None:
    pictures = tuple(Picture(data=data, media_type="image/png", width=1, height=1) for data in (b"1", b"2"))
    results = [
        structs.replace(result, content=f"{PICTURE}seen", pictures=(picture,))
        for result, picture in zip(RESULTS, pictures, strict=True)
    ]
    (turn,) = with_prompted_tools(results, [])
    assert turn.pictures == pictures
    assert turn.content.count(PICTURE) == 2
