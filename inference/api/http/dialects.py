"""The addresses of the dialects that programs speak: all of them below one of these prefixes."""

from django.conf import settings

_FIXED = ("/v1/", "/v2/", "/rerank/", "/tokenize/", "/detokenize/", "/tokenizer_info/")


def prefixes() -> tuple[str, ...]:
    """Every prefix, Ollama's where the operator has put it."""
    ollama = settings.CONFIG.ollama
    return (*_FIXED, f"{ollama}/") if ollama else _FIXED


def is_dialect(path: str) -> bool:
    """Whether a request to this path is one of a program's, and no page's."""
    return f"{path}/".startswith(prefixes())


def is_ollama(path: str) -> bool:
    """Whether a request to this path is one of a client of Ollama."""
    ollama = settings.CONFIG.ollama
    return bool(ollama) and f"{path}/".startswith(f"{ollama}/")
