import re

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from inference.api.http import answer_headers
from tests.api.openai.asking import chat_body, error_of, post
from tests.each import each
from tests.fakes import FakeRunner, serving

CHAT = "/v1/chat/completions"
STRANGE = {"temprature": 1}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_lists_what_was_noted(stream: bool) -> None:
    body = chat_body(store=True, num_ctx=2048, stream=stream)
    body["messages"] = [{**body["messages"][0], "cache_control": {"type": "ephemeral"}}]
    with serving(FakeRunner()):
        answer = await post(CHAT, body)
    assert answer.status_code == 200
    assert answer["x-mlx-noted"] == "store, num_ctx, messages.0.cache_control"


async def test_an_answer_to_known_fields_alone_has_no_such_header() -> None:
    with serving(FakeRunner()):
        assert "x-mlx-noted" not in await post(CHAT, chat_body(temperature=0))


async def test_an_unknown_name_is_refused_unless_the_operator_takes_it() -> None:
    with serving(FakeRunner()):
        assert error_of(await post(CHAT, chat_body(**STRANGE)))["param"] == "temprature"
        with override_settings(CONFIG=settings.CONFIG.model_copy(update={"unknown_fields": "note"})):
            assert (await post(CHAT, chat_body(**STRANGE)))["x-mlx-noted"] == "temprature"


@each(
    "mark",
    [
        {"user_agent": "codex_cli_rs/0.171.0 (Mac OS 26.1; arm64)"},
        {"user_agent": "claude-cli/2.1.0 (external, cli)"},
        {"user_agent": "opencode/1.18"},
        {"originator": "codex_exec"},
    ],
)
async def test_a_known_client_is_never_refused_for_an_unknown_name(mark: dict[str, str]) -> None:
    headers = {name.replace("_", "-"): value for name, value in mark.items()}
    with serving(FakeRunner()):
        answer = await post(CHAT, chat_body(**STRANGE), headers=headers)
    assert answer["x-mlx-noted"] == "temprature"


def test_what_a_client_wrote_cannot_break_the_header() -> None:
    request, response = RequestFactory().get("/"), HttpResponse()
    answer_headers.list_in(request, "x-mlx-noted", ["a\r\nSet-Cookie: b", "ü" * 500, *map(str, range(99))])
    answer_headers.add_to(request, response)
    listed = response["x-mlx-noted"].split(", ")
    assert re.fullmatch(r"[\w.:\-]+", listed[0], re.ASCII)
    assert max(map(len, listed)) <= 96 and len(listed) == 32
