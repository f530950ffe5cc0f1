from types import SimpleNamespace

import pytest

from inference.core.events import Event, Finished, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from playground import thinking_time
from playground.thinking_time import ThinkingTime

THOUGHT, TEXT, CALL = ReasoningDelta(text="Hm"), TextDelta(text="Hello"), ToolCallDelta(call=0, text="{")
END = Finished(usage=Usage(prompt_tokens=1))


def seconds(monkeypatch: pytest.MonkeyPatch, *events: Event, before: float = 0.0) -> float:
    """What was thought when each event comes a second after the one before it, and one more second passes."""
    ticks = iter(range(100, 200))
    now = [float(next(ticks))]
    monkeypatch.setattr(thinking_time, "time", SimpleNamespace(monotonic=lambda: now[0]))
    thinking = ThinkingTime(before)
    for event in events:
        thinking.note(event)
        now[0] = float(next(ticks))
    return thinking.seconds


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], 0),
        ([TEXT, TEXT], 0),
        ([THOUGHT], 1),
        ([THOUGHT, THOUGHT, THOUGHT], 3),
        ([THOUGHT, THOUGHT, TEXT, TEXT], 2),
        ([THOUGHT, CALL, CALL], 1),
        ([THOUGHT, TEXT, THOUGHT, THOUGHT, TEXT], 3),
        ([THOUGHT, END], 1),
    ],
)
def test_the_time_of_reasoning_alone_counts(
    events: list[Event], expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seconds(monkeypatch, *events) == expected


def test_a_continued_answer_adds_to_what_it_had_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds(monkeypatch, THOUGHT, THOUGHT, TEXT, before=5) == 7
