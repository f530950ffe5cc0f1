"""Calls that are parsed once they are complete."""

from collections.abc import Mapping

from inference.adapters.tool_calls.literals import Unfinished
from inference.adapters.tool_calls.whole_calls import WholeCalls
from inference.core.requests import Tool
from tests.adapters.tool_calls.test_call_reader import NoVocabulary
from tests.each import each


class Scripted(WholeCalls):
    """Its body is the name of what happens."""

    def _parsed(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        errors = {"open string": Unfinished, "no call": ValueError, "too deep": RecursionError}
        if body in errors:
            raise errors[body]
        return [(body, "{}")]


@each(
    ("body", "calls", "goes_on"),
    [
        ("now", [("now", "{}")], False),
        ("open string", [], True),
        ("no call", [], False),
        ("too deep", [], False),
    ],
)
def test_only_an_open_string_may_go_on(body: str, calls: list[tuple[str, str]], goes_on: bool) -> None:
    made = Scripted(NoVocabulary())
    assert list(made.parse(body, {})) == calls
    assert made.can_continue(body, {}) == goes_on
