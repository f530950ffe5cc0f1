"""What Claude Code counts anew with every request reaches no prompt through the other APIs either."""

from typing import Any

import pytest

from tests.api.openai.asking import HELLO, post
from tests.each import each
from tests.fakes import FakeRunner, serving

BILLING = "x-anthropic-billing-header: cc_version=2.1.9; cc_entrypoint=cli; cch={};"
COUNTER = "<total_tokens>{} tokens left</total_tokens>"
KIND = "You are kind."
MARK = "x-anthropic-billing-header"


def system(content: Any, role: str = "system") -> dict[str, Any]:
    return {"role": role, "content": content}


async def asked(path: str, **fields: Any) -> tuple[list[tuple[str, str]], str]:
    """The roles and texts that the model gets, and what the answer's header says was noted."""
    runner = FakeRunner()
    with serving(runner):
        kept = {"store": False} if path == RESPONSES else {}
        response = await post(path, {"model": "tiny", "stream": False} | kept | fields)
    assert response.status_code == 200, response.content
    found = [(message.role, message.content) for message in runner.requests[-1].messages]  # type: ignore[union-attr]
    return found, response.headers.get("x-mlx-noted", "")


CHAT, RESPONSES, OLLAMA = "/v1/chat/completions", "/v1/responses", "/ollama/api/chat"


@each(
    ("path", "fields", "noted"),
    [
        (CHAT, {"messages": [system(BILLING + "\n" + KIND), *HELLO]}, f"messages.0.content:{MARK}"),
        (CHAT, {"messages": [system(BILLING + KIND), *HELLO]}, f"messages.0.content:{MARK}"),
        (CHAT, {"messages": [system(BILLING + KIND, "developer"), *HELLO]}, f"messages.0.content:{MARK}"),
        (
            CHAT,
            {"messages": [system([{"type": "text", "text": t} for t in (BILLING, KIND)]), *HELLO]},
            f"messages.0.content.0:{MARK}",
        ),
        (CHAT, {"messages": [system(BILLING), system(KIND), *HELLO]}, f"messages.0.content:{MARK}"),
        (CHAT, {"messages": [system(KIND + "\n" + COUNTER), *HELLO]}, "messages.0.content:total_tokens"),
        (RESPONSES, {"instructions": BILLING + "\n" + KIND, "input": "Hello"}, f"instructions:{MARK}"),
        (RESPONSES, {"input": [system(BILLING + KIND, "developer"), *HELLO]}, f"input.0.content:{MARK}"),
        (RESPONSES, {"input": [system(BILLING), system(KIND), *HELLO]}, f"input.0.content:{MARK}"),
        (OLLAMA, {"messages": [system(BILLING + "\n" + KIND), *HELLO]}, f"messages.0.content:{MARK}"),
        ("/ollama/api/generate", {"system": BILLING + KIND, "prompt": "Hello"}, f"system:{MARK}"),
    ],
)
async def test_two_requests_of_one_session_begin_alike(path: str, fields: dict[str, Any], noted: str) -> None:
    first, header = await asked(path, **with_number(fields, "a1"))
    second, _ = await asked(path, **with_number(fields, "b2"))
    assert first == second == [("system", KIND), ("user", "Hello")]
    assert noted in header.split(", ")


def with_number(value: Any, number: str) -> Any:
    """The fields with the marks of one request."""
    if isinstance(value, dict):
        return {name: with_number(one, number) for name, one in value.items()}
    if isinstance(value, list):
        return [with_number(one, number) for one in value]
    return value.format(number if "cch" in value else int(number, 16)) if isinstance(value, str) else value


@pytest.mark.parametrize("path", [CHAT, OLLAMA])
async def test_what_may_mean_something_stays(path: str) -> None:
    dated = "Today is 2026-03-04, 10:11:12.\n" + KIND
    messages = [system(dated), {"role": "user", "content": BILLING.format(1)}]
    assert await asked(path, messages=messages) == (
        [("system", dated), ("user", BILLING.format(1))],
        "",
    )


async def test_a_prompt_of_nothing_else_is_empty_and_not_missing() -> None:
    found, _ = await asked(CHAT, messages=[system(BILLING.format(1))])
    assert found == [("system", "")]
