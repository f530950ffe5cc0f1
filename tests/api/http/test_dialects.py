"""Which API an address belongs to."""

import pytest
from django.conf import settings
from django.test import override_settings

from inference.api.http import dialects
from inference.api.http.dialects import is_dialect, is_ollama
from inference.core.config import Config
from tests.each import each


@each(
    ("path", "name"),
    [
        ("/v1/chat/completions", "openai chat"),
        ("/v1/completions", "openai completions"),
        ("/v1/responses", "openai responses"),
        ("/v1/responses/compact", "openai responses"),
        ("/v1/embeddings", "openai embeddings"),
        ("/v1/messages", "anthropic"),
        ("/v1/messages/count_tokens", "anthropic"),
        ("/v1/models", "openai"),
        ("/v1/rerank", "rerank"),
        ("/rerank", "rerank"),
        ("/v1/tokenize", "tokenize"),
        ("/tokenize", "vllm"),
        ("/ollama/api/chat", "ollama"),
        ("/chat/ask/", "playground"),
        ("/", ""),
        ("/admin/", ""),
        ("/v1x", ""),
        ("/v1/messagesx", "openai"),
    ],
)
def test_an_api_has_a_name(path: str, name: str) -> None:
    assert dialects.name_of(path) == name


def test_ollamas_is_where_the_operator_has_put_it() -> None:
    with override_settings(CONFIG=settings.CONFIG.model_copy(update={"ollama": "/o"})):
        assert [dialects.name_of(path) for path in ("/o/api/chat", "/ollama/api/chat")] == ["ollama", ""]


@each(
    ("path", "takes"),
    [
        *((path, True) for path in ("/v1/chat/completions", "/v1/responses", "/v1/responses/compact")),
        *((path, True) for path in ("/v1/messages", "/v1/messages/count_tokens", "/tokenize")),
        *((path, True) for path in ("/v1/conversations", "/v1/conversations/conv_1/items")),
        *((path, True) for path in ("/ollama/api/chat", "/ollama/api/generate", "/ollama/v1/responses")),
        *((path, False) for path in ("/v1/completions", "/v1/embeddings", "/ollama/api/embed", "/api/chat")),
        *((path, False) for path in ("/v1/conversations/conv_1", "/x/v1/messages", "/admin/", "/")),
    ],
)
def test_a_body_may_be_larger_where_it_may_have_pictures(path: str, takes: bool) -> None:
    assert dialects.takes_pictures(path) is takes
    assert dialects.body_limit(path) == (48 if takes else 8) * 2**20


@each(
    ("path", "is_a_programs"),
    [
        ("/v1/models", True),
        ("/v1", True),
        ("/tokenize", True),
        ("/v10", False),
        ("/admin/", False),
        ("/", False),
    ],
)
def test_a_dialect_is_known_by_its_whole_prefix(path: str, is_a_programs: bool) -> None:
    assert is_dialect(path) == is_a_programs


@pytest.mark.parametrize(("prefix", "path"), [("/ollama", "/ollama/api/chat"), ("/x/y", "/x/y")])
def test_ollamas_dialect_is_where_the_operator_put_it(prefix: str, path: str) -> None:
    with override_settings(CONFIG=Config(ollama=prefix)):
        assert is_ollama(path) and is_dialect(path)
        assert not is_ollama("/v1/models")


def test_without_an_address_ollamas_dialect_is_nowhere() -> None:
    with override_settings(CONFIG=Config(ollama="")):
        assert not is_ollama("/api/chat") and not is_ollama("/")
