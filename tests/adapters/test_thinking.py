"""Wishes about thinking, followed by variables of the chat template or by a limit."""

from typing import Any

from inference.adapters.thinking import ThinkingPlan, plan
from inference.core.requests import ChatRequest
from tests.adapters.family_models import chat_request, make, real
from tests.adapters.test_base import USER
from tests.each import each
from tests.tiny import CHATML, SPECIAL

SWITCH, EFFORT = frozenset({"enable_thinking"}), frozenset({"reasoning_effort"})


def asking(**fields: Any) -> ChatRequest:
    return chat_request(*USER.messages, **fields)


def planned(variables: frozenset[str] = frozenset(), template: str = "", **fields: Any) -> ThinkingPlan:
    return plan(asking(**fields), template, variables, can_reason=True)


def test_no_wish_is_no_plan() -> None:
    assert planned(SWITCH | EFFORT) == ThinkingPlan()
    assert planned().limit(100) is None


@each("fields", [{"thinking": False}, {"effort": "none"}, {"thinking": False, "effort": "high"}])
def test_thinking_is_switched_off_and_would_be_closed_at_once(fields: dict[str, Any]) -> None:
    found = planned(SWITCH, **fields)
    assert (dict(found.options), found.limit(100)) == ({"enable_thinking": False}, 0)
    assert planned(**fields).limit(100) == 0


def test_thinking_is_switched_on_where_there_is_a_switch() -> None:
    assert dict(planned(SWITCH, thinking=True).options) == {"enable_thinking": True}
    assert dict(planned(frozenset({"thinking"}), thinking=True).options) == {"thinking": True}
    assert planned(thinking=True) == ThinkingPlan()
    assert planned(SWITCH, thinking=True, effort="none").limit(100) is None


@each(
    ("effort", "limit"),
    [("minimal", 10), ("low", 20), ("medium", 50), ("high", 80), ("xhigh", 95), ("max", None)],
)
def test_an_effort_is_a_share_of_the_answer_where_the_template_does_not_know_it(
    effort: str, limit: int | None
) -> None:
    assert planned(SWITCH, effort=effort).limit(100) == limit
    assert planned(SWITCH, effort=effort).options == {}


@each(
    ("effort", "known"),
    [
        ("low", "low"),
        ("high", "high"),
        ("minimal", "low"),
        ("xhigh", "high"),
        ("max", "high"),
        ("none", None),
    ],
)
def test_an_effort_becomes_a_level_that_the_template_knows(effort: str, known: str | None) -> None:
    found = planned(EFFORT, effort=effort)
    assert found.options.get("reasoning_effort") == known
    assert found.limit(100) == (0 if effort == "none" else None)
    literal = planned(EFFORT, f"{{% if reasoning_effort == '{effort}' %}}", effort=effort)
    assert literal.options["reasoning_effort"] == effort


def test_the_smaller_of_two_limits_counts() -> None:
    assert planned(effort="medium", thinking_budget=30).limit(100) == 30
    assert planned(effort="medium", thinking_budget=80).limit(100) == 50


@each(
    ("fields", "noted"),
    [
        ({"effort": "high"}, ("reasoning_effort",)),
        ({"thinking": True, "thinking_budget": 5}, ("enable_thinking", "thinking_budget")),
        ({"effort": "none", "thinking": False, "thinking_budget": 0}, ()),
    ],
)
def test_a_model_that_does_not_reason_notes_what_asks_it_to(fields: dict[str, Any], noted: Any) -> None:
    found = plan(asking(**fields), "", frozenset(), can_reason=False)
    assert found.noted == noted and found.limit(100) is None
    adapter, _ = make(CHATML)
    assert adapter.noted(asking(**fields)) == noted
    assert adapter.render(asking(**fields)) == adapter.render(USER)


def test_a_family_has_its_own_markers() -> None:
    adapter, _ = real("qwen3", "qwen3")
    markers = adapter.reasoning_markers(USER)
    assert (markers.opening, markers.closing, markers.following) == ("<think>", "</think>", "")
    assert adapter.can_reason and not make(CHATML, SPECIAL)[0].can_reason
