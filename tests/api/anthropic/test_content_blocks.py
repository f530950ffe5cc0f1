"""Deltas become blocks that begin, fill and end one after the other."""

from typing import Any

from inference.api.anthropic import signature
from inference.api.anthropic.content_blocks import ContentBlocks, put_together
from inference.core.events import Delta, ReasoningDelta, TextDelta, ToolCallDelta
from tests.each import each

CALL = [
    ToolCallDelta(call=0, id="call_ab", name="now"),
    ToolCallDelta(call=0, text='{"zone": '),
    ToolCallDelta(call=0, text='"é"}'),
]
USE = {"type": "tool_use", "id": "toolu_ab", "name": "now", "input": {"zone": "é"}}


def made(*deltas: Delta, **options: Any) -> list[dict[str, Any]]:
    blocks = ContentBlocks(**options)
    return [event for delta in deltas for event in blocks.feed(delta)] + list(blocks.close())


def whole(*deltas: Delta, **options: Any) -> list[dict[str, Any]]:
    return put_together(made(*deltas, **options))


def text_deltas(*pieces: str) -> list[Delta]:
    return [TextDelta(text=piece) for piece in pieces]


def test_each_kind_is_a_block() -> None:
    assert whole(ReasoningDelta(text="Hm"), ReasoningDelta(text="."), *text_deltas("I ", "look."), *CALL) == [
        {"type": "thinking", "thinking": "Hm.", "signature": signature.OPAQUE},
        {"type": "text", "text": "I look."},
        USE,
    ]


def test_a_block_is_over_before_the_next_begins() -> None:
    events = made(*text_deltas("a"), *CALL, *text_deltas("b"))
    kinds = [(event["type"].removeprefix("content_block_"), event["index"]) for event in events]
    assert kinds == [
        ("start", 0),
        ("delta", 0),
        ("stop", 0),
        ("start", 1),
        ("delta", 1),
        ("delta", 1),
        ("stop", 1),
        ("start", 2),
        ("delta", 2),
        ("stop", 2),
    ]


def test_two_calls_are_two_blocks() -> None:
    second = [ToolCallDelta(call=1, id="call_cd", name="now"), ToolCallDelta(call=1, text="{}")]
    assert whole(*CALL, *second) == [USE, USE | {"id": "toolu_cd", "input": {}}]


@each("arguments", ["", '{"zone": ', "[1]", "noon", "[" * 5000])
def test_arguments_that_are_no_object_are_empty(arguments: str) -> None:
    call = [ToolCallDelta(call=0, id="call_ab", name="now"), ToolCallDelta(call=0, text=arguments)]
    assert whole(*call) == [USE | {"input": {}}]


@each(
    ("deltas", "texts"),
    [
        ([], []),
        (text_deltas(""), []),
        (text_deltas("\n", " "), []),
        (text_deltas("\n", " a"), ["\n a"]),
        (text_deltas("a", "\n"), ["a\n"]),
        ([ReasoningDelta(text="Hm"), *text_deltas("\n\n"), *CALL], []),
        ([*text_deltas("a", ""), ReasoningDelta(text="")], ["a"]),
    ],
)
def test_whitespace_alone_is_no_block(deltas: list[Delta], texts: list[str]) -> None:
    assert [block["text"] for block in whole(*deltas) if block["type"] == "text"] == texts


def test_hidden_reasoning_is_in_the_signature() -> None:
    (block, _) = whole(
        ReasoningDelta(text="Hm, "), ReasoningDelta(text="é."), *text_deltas("Yes."), hides_thinking=True
    )
    assert (block["thinking"], signature.reasoning_in(block["signature"])) == ("", "Hm, é.")
