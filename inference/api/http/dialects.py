"""The addresses of the dialects that programs speak: all of them below one of these prefixes."""

from django.conf import settings

_FIXED = ("/v1/", "/v2/", "/rerank/", "/tokenize/", "/detokenize/", "/tokenizer_info/")
# Whose bodies may have pictures; of Ollama's API they are below its prefix.
_WITH_PICTURES = frozenset(
    {
        *("/v1/chat/completions", "/v1/responses", "/v1/responses/compact", "/v1/responses/input_tokens"),
        *("/v1/conversations", "/v1/messages", "/v1/messages/count_tokens", "/v1/tokenize", "/tokenize"),
        "/chat/attachments/",  # of the playground: the picture itself
    }
)
_OLLAMA_WITH_PICTURES = frozenset({"/api/chat", "/api/generate"})
# What the record of requests calls each API; the first prefix that fits counts.
_NAMES = {
    "/v1/chat/completions/": "openai chat",
    "/v1/completions/": "openai completions",
    "/v1/responses/": "openai responses",
    "/v1/embeddings/": "openai embeddings",
    "/v1/messages/": "anthropic",
    "/v1/rerank/": "rerank",
    "/v2/rerank/": "rerank",
    "/rerank/": "rerank",
    "/v1/tokenize/": "tokenize",
    "/v1/detokenize/": "tokenize",
    "/tokenize/": "vllm",
    "/detokenize/": "vllm",
    "/v1/": "openai",
    "/chat/": "playground",
}


def prefixes() -> tuple[str, ...]:
    """Every prefix, Ollama's where the operator has put it."""
    ollama = settings.CONFIG.ollama
    return (*_FIXED, f"{ollama}/") if ollama else _FIXED


def is_dialect(path: str) -> bool:
    """Whether a request to this path is one of a program's, and no page's."""
    return f"{path}/".startswith(prefixes())


def is_ollama(path: str) -> bool:
    """Whether a request to this path is one of Ollama's API."""
    ollama = settings.CONFIG.ollama
    return bool(ollama) and f"{served_path(path)}/".startswith(f"{ollama}/")


def takes_pictures(path: str) -> bool:
    """Whether the body of a request to this path may have pictures, which make it large."""
    if is_ollama(path):
        return path.removeprefix(settings.CONFIG.ollama) in _OLLAMA_WITH_PICTURES
    served = served_path(path)
    is_items = served.startswith("/v1/conversations/") and served.endswith("/items")
    return served in _WITH_PICTURES or is_items


def body_limit(path: str) -> int:
    """The most bytes that the body of a request to this path may have."""
    config = settings.CONFIG
    if takes_pictures(path):
        return max(config.max_body_bytes, config.picture_body_bytes)
    return int(config.max_body_bytes)


def served_path(path: str) -> str:
    """The path of the API that answers: OpenAI's, where Ollama's servers have it below the same base."""
    ollama = settings.CONFIG.ollama
    return path.removeprefix(ollama) if ollama and path.startswith(f"{ollama}/v1/") else path


def name_of(path: str) -> str:
    """What the record of requests calls the API at this path; empty for pages."""
    if is_ollama(path):
        return "ollama"
    return next((name for prefix, name in _NAMES.items() if f"{path}/".startswith(prefix)), "")
