"""Calls between markers, one behind the other in a section."""

from inference.adapters.tool_calls.call_prefix import SPACE, chars, name_between
from inference.adapters.tool_calls.marked import MarkedCalls, marked_prefixes
from tests.adapters.tool_calls.test_call_reader import NoVocabulary
from tests.each import each


class Bracketed(MarkedCalls):
    name = "bracketed"
    begin = "<calls>"
    end = "</calls>"
    before = "<call>"
    between = ":"
    after = "</call>"
    joint = "\n"


def test_calls_are_joined_in_one_section() -> None:
    written = Bracketed.call_text([("now", "{}"), ("add", '{"a":1}')])
    assert written == '<calls><call>now:{}</call>\n<call>add:{"a":1}</call></calls>'
    assert Bracketed.call_text([]) == "<calls></calls>"


@each(
    ("held", "name"),
    [
        ("<call>now:{", "now"),
        (" <call> now {", "now"),
        ("now<", "now"),
        ("<call>no", None),  # its name may go on
        ("<call>{", None),
        (f"<call>{'n' * 65}:", None),
    ],
)
def test_a_name_ends_before_its_arguments(held: str, name: str | None) -> None:
    assert Bracketed(NoVocabulary()).function_name(held) == name


@each("text", ["<o>call now{", "call now {", " <o>\ncall now{"])
def test_a_beginning_may_have_its_opening_marker(text: str) -> None:
    prefixes = marked_prefixes("<o>", (*chars("call"), SPACE, *name_between("")))
    assert [match["name"] for prefix in prefixes if (match := prefix.match(text))] == ["now"]
    assert not any(prefix.match("<p>call now{") for prefix in prefixes)
