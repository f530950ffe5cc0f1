"""Where `cache_control` is, in the messages that the model reads."""

from typing import Any

from inference.core.requests import ChatRequest, Checkpoint
from tests.api.anthropic.asking import HELLO, asked, send, text
from tests.api.anthropic.test_turns import IMAGE, SEARCH
from tests.each import each
from tests.fakes import FakeRunner, serving

MARK: Any = {"cache_control": {"type": "ephemeral"}}
USE = {"type": "tool_use", "id": "a", "name": "now", "input": {"cache_control": "no mark"}}
RESULT = {"type": "tool_result", "tool_use_id": "a", "content": "noon"}
TOOL = {"name": "now", "input_schema": {}}
DOCUMENT: Any = {"type": "document", "source": {"type": "content", "content": [text("Ships sail.", **MARK)]}}


def places(**fields: Any) -> list[tuple[int, str]]:
    """The message of each checkpoint, and what of its content comes before it."""
    request = asked(**fields)
    contents = [message.content for message in request.messages]
    return [
        (one.message, contents[one.message][: one.characters] if one.message < len(contents) else "")
        for one in request.checkpoints
    ]


def test_marks_are_places_in_the_messages() -> None:
    assert places(system=[text("One.", **MARK), text("Two.")]) == [(0, "One.")]
    assert places(system=[text("One."), text("Two.", **MARK)]) == [(0, "One.\n\nTwo.")]
    assert places(tools=[TOOL, TOOL | {"name": "then"} | MARK]) == [(0, "")]
    assert places(tools=[TOOL, {"type": "bash_20250124", "name": "bash"} | MARK]) == [(0, "")]
    question = {"role": "user", "content": [text("File.", **MARK), text("Ask.")]}
    assert places(system="Be brief.", messages=[question]) == [(1, "File.")]
    assert places(messages=[*HELLO, {"role": "user", "content": [DOCUMENT, text("Ask.")]}]) == [
        (1, "Ships sail.")
    ]
    assert places(**MARK) == []  # the end of the prompt is stored without a mark, too


SUMMARY = {"type": "compaction", "content": "So far."}
THINKING = {"type": "thinking", "thinking": "Hm."}
REFERENCE = {"type": "tool_reference", "tool_name": "now"}
PLAIN = {"type": "document", "source": {"type": "text", "data": "Ships sail."}}
LEFT_OUT = {"type": "server_tool_use", "id": "b"}


@each("block", [text("x"), IMAGE, SEARCH, SUMMARY, PLAIN, LEFT_OUT, THINKING, USE, RESULT, REFERENCE])
def test_a_block_of_any_kind_may_have_a_mark(block: dict[str, Any]) -> None:
    roles = {"thinking": "assistant", "tool_use": "assistant"}
    before = [text("One."), {**RESULT, "content": [block | MARK]}] if block is REFERENCE else [text("One.")]
    marked = before if block is REFERENCE else [*before, block | MARK]
    turn = {"role": roles.get(block["type"], "user"), "content": [*marked, text("Two.")]}
    called = [{"role": "assistant", "content": [USE]}] if turn["role"] == "user" else []
    result = [{"role": "user", "content": [RESULT]}] if block is USE else HELLO
    (place,) = places(messages=[*HELLO, *called, turn, *result])
    assert place[0] > len(called)


def test_calls_and_results_have_marks() -> None:
    call = {"role": "assistant", "content": [text("I look."), USE | MARK]}
    inside = RESULT | {"content": [text("noon", **MARK), text("and a minute")]}
    for result, at in ((RESULT | MARK, "noon"), (inside, "noon\n\nand a minute")):
        answer = {"role": "user", "content": [result, text("And now?", **MARK)]}
        assert places(messages=[*HELLO, call, answer]) == [(2, ""), (2, at), (3, "And now?")]


def test_text_that_is_left_out_has_no_place() -> None:
    note = {"role": "system", "content": [text("Be brief.", **MARK)], "clear_at": "next_user_message"}
    assert places(messages=[*HELLO, note, *HELLO]) == []
    header = "x-anthropic-billing-header: cc_version=2.1.9; cch=a1;"
    assert places(system=[text(header, **MARK), text("Two.", **MARK)]) == [(0, "Two.")]


def test_of_many_marks_the_first_and_the_latest_count() -> None:
    blocks = [text(str(place), **MARK) for place in range(9)]
    ends = [Checkpoint(message=0, characters=at) for at in (1, 19, 22, 25)]
    assert list(asked(messages=[{"role": "user", "content": blocks}]).checkpoints) == ends


async def test_the_model_is_told_of_marks() -> None:
    runner = FakeRunner()
    with serving(runner):
        await send(messages=[{"role": "user", "content": [text("File.", **MARK), text("Ask.")]}])
    (request,) = runner.requests
    assert isinstance(request, ChatRequest)
    assert request.checkpoints == (Checkpoint(message=0, characters=5),)
