"""A body that is no JSON ends at the marker that its format accepts."""

import pytest

from inference.adapters.tool_calls.call_body import CallBodyReader
from inference.adapters.tool_calls.held_text import HeldText
from inference.adapters.tool_calls.xml import FunctionXml
from tests.adapters.family_models import ADD, NOW
from tests.adapters.tool_calls.test_call_reader import NoVocabulary
from tests.each import each

BODY = CallBodyReader(FunctionXml(NoVocabulary()), {"add": ADD, "now": NOW})
ONE = [("add", '{"a": 1}')]
CALL = "<function=add><parameter=a>1</parameter></function>"


def held(text: str) -> HeldText:
    made = HeldText([])
    made.text = text
    return made


def test_a_complete_body_is_taken_with_its_marker() -> None:
    text = held(f"{CALL}</tool_call> and")
    assert (BODY.take_calls(text), text.text) == (ONE, " and")


@each("text", ["", "<func", CALL, f"{CALL}</tool_ca"])
def test_a_body_without_its_marker_waits(text: str) -> None:
    assert BODY.take_calls(held(text)) is None


@each("text", ["add(1)</tool_call>", "<function=sub></function></tool_call>", " opens a call"])
def test_what_is_no_call_is_rejected_and_stays(text: str) -> None:
    made = held(text)
    assert (BODY.take_calls(made), made.text) == ((), text)


@pytest.mark.parametrize("end", ["", "</tool"])
def test_the_end_of_the_answer_ends_a_body(end: str) -> None:
    assert BODY.last_calls(f"{CALL}{end}", is_cut=False) == (ONE, "")


def test_half_a_body_is_no_call_at_the_end() -> None:
    assert BODY.last_calls("<function=add><parameter=a>1", is_cut=False) == (
        (),
        "<function=add><parameter=a>1",
    )
