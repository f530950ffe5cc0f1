"""Answers that max_tokens cuts: no mark of a call is text, and no text is taken for one."""

from inference.adapters.channel_reader import ChannelReader
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.tool_formats import Hermes, Llama3Json
from inference.core.requests import Tool
from tests.adapters.tool_calls.test_call_reader import THINK, NoVocabulary, read
from tests.each import each

ADD_CALL = '<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>'


def cut(output: str, *, is_forced: bool = False, format_of: type[ToolFormat] = Hermes) -> dict[str, str]:
    """Each channel of an answer that is cut here."""
    calls = CallReader(format_of(NoVocabulary()), {"add": Tool(name="add")}, is_forced=is_forced)
    made = ChannelReader(reasoning=THINK, calls=calls)
    pieces = [*made.feed(output), *made.flush(is_cut=True)]
    channels = ("text", "reasoning", "tool")
    joined = {name: "".join(one.text for one in pieces if one.channel == name) for name in channels}
    return {name: text for name, text in joined.items() if text}


@each(
    ("output", "expected"),
    [
        ("if a <", {"text": "if a <"}),
        ("if a < ", {"text": "if a < "}),
        ("a <to", {"text": "a <to"}),
        ("a <tool", {"text": "a <tool"}),
        ("a <tool_", {"text": "a"}),
        ("a <tool_call", {"text": "a"}),
        ("<th", {"text": "<th"}),
        ("<think", {}),
        ("<think>hm</thi", {"reasoning": "hm"}),
        ("<think>hm<", {"reasoning": "hm<"}),
        ("a <tool_call>", {"text": "a"}),
        ('a <tool_call>{"name": "ad', {"text": "a"}),
        ('a <tool_call>{"name": "add", "argu', {"text": "a"}),
        ('a <tool_call>{"name": "sub", "argu', {"text": 'a <tool_call>{"name": "sub", "argu'}),
        ('a <tool_call>{"arguments": {"a": 1}, ', {"text": "a"}),
        ("a <tool_call>[", {"text": "a"}),
        ("The tag <tool_call> is", {"text": "The tag <tool_call> is"}),
        (ADD_CALL[:-1], {"tool": '{"a": 1}'}),
        (ADD_CALL[:-9], {"tool": '{"a": 1}'}),
        (f"{ADD_CALL}\n<", {"tool": '{"a": 1}'}),
        (f"{ADD_CALL}\n<tool_call>\n{{", {"tool": '{"a": 1}'}),
        (f"{ADD_CALL} a <", {"tool": '{"a": 1}', "text": "a <"}),
        ('<tool_call>[{"name": "add", "arguments": {"a": 1}},', {"tool": '{"a": 1}'}),
        ('<tool_call>{"name": "add", "arguments": {"a": 1}, "id": "', {"tool": '{"a": 1}'}),
        ('<tool_call>{"name": "add", "arguments": {"a": "</tool', {"tool": '{"a": "</tool'}),
        ('<tool_call>{"name": "add", "arguments": {"a": 1 </tool', {"tool": '{"a": 1 '}),
    ],
)
def test_what_can_only_be_a_mark_is_dropped_and_what_may_be_text_is_not(
    output: str, expected: dict[str, str]
) -> None:
    assert cut(output) == expected


@each("output", ["", "\n", "<", "<tool_ca", "<tool_call>\n{", "\n\n<tool_call>"])
def test_where_a_call_is_required_all_of_it_is_a_call(output: str) -> None:
    assert cut(output, is_forced=True) == {}


@each(
    ("output", "expected"),
    [
        ('{"na', {"text": '{"na'}),
        ('{"name": "Bob"', {"text": '{"name": "Bob"'}),
        ('{"name": "ad', {"text": '{"name": "ad'}),
        ('{"name": "add", "par', {}),
        ('{"city": ', {"text": '{"city": '}),
    ],
)
def test_a_call_without_a_mark_is_one_once_its_name_is_known(output: str, expected: dict[str, str]) -> None:
    assert cut(output, format_of=Llama3Json) == expected


@each("output", ["</tool", "<", " </tool_call", "}</tool_c"])
def test_the_beginning_of_a_mark_behind_a_call_is_no_text_wherever_it_ends(output: str) -> None:
    whole = ADD_CALL.removesuffix("}</tool_call>") + output
    assert read(Hermes, whole) == [("tool", "add", '{"a": 1}')]
