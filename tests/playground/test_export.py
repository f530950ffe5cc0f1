"""A conversation as a file."""

import json
from typing import Any

from playground.export import to_json, to_markdown


def message(number: int, parent: int | None, role: str = "assistant", **changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": number,
        "parent": parent,
        "role": role,
        "content": "",
        "reasoning": "",
        "calls": [],
    }
    return {**facts, "model": "tiny", "status": "done", "error": "", **changes}


def conversation(*messages: dict[str, Any], tip: int) -> dict[str, Any]:
    return {"title": "Tea", "folder": "", "settings": {}, "tip": tip, "messages": messages, "owner": "ada"}


QUESTION = message(1, None, "user", content="Tea?")


def test_json_has_all_branches_and_nothing_of_the_site() -> None:
    made = json.loads(to_json(conversation(QUESTION, message(2, 1, waiting="x"), message(3, 1), tip=3)))
    assert [one["id"] for one in made["messages"]] == [1, 2, 3]
    assert "owner" not in made and "waiting" not in made["messages"][1]
    assert made["format"] == "mlxsite-conversation-1"


def test_markdown_has_the_branch_that_is_shown() -> None:
    other, shown = message(2, 1, content="Yes."), message(3, 1, content="No.", reasoning="Hm.\n\nWell.")
    text = to_markdown(conversation(QUESTION, other, shown, tip=3))
    assert text == "# Tea\n\n## You\n\nTea?\n\n## tiny\n\n> Hm.\n>\n> Well.\n\nNo.\n"


def test_markdown_has_calls_their_results_and_how_an_answer_ended() -> None:
    calls = [{"name": "now", "arguments": "{}", "result": "noon"}, {"name": "add", "arguments": "{}"}]
    text = to_markdown(conversation(message(1, None, calls=calls, status="stopped"), tip=1))
    assert "Calls `now`:\n\n```json\n{}\n```\n\nResult:\n\n```\nnoon\n```" in text
    assert text.count("Result:") == 1
    assert text.endswith("*(stopped)*\n")
