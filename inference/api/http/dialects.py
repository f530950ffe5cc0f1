"""The addresses of the dialects that programs speak: all of them below one of these prefixes."""

from django.conf import settings

_FIXED = ("/v1/", "/v2/", "/rerank/", "/tokenize/", "/detokenize/", "/tokenizer_info/")
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


def served_path(path: str) -> str:
    """The path of the API that answers: OpenAI's, where Ollama's servers have it below the same base."""
    ollama = settings.CONFIG.ollama
    return path.removeprefix(ollama) if ollama and path.startswith(f"{ollama}/v1/") else path


def name_of(path: str) -> str:
    """What the record of requests calls the API at this path; empty for pages."""
    if is_ollama(path):
        return "ollama"
    return next((name for prefix, name in _NAMES.items() if f"{path}/".startswith(prefix)), "")
