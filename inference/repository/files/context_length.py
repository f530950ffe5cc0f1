"""How many tokens a model takes at most, from config.json: published models have it under many names."""

from collections.abc import Iterator, Mapping
from typing import Any

_DEFAULT = 2048
_LONGEST = 2**31 - 1
_MOST = 1024  # times; a factor beyond it is a mistake
# The first that makes sense counts; GPT-2, MPT, ChatGLM, DBRX, Kimi and OpenELM have names of their own.
_NAMES = (
    *("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length"),
    *("max_seq_length", "model_max_length", "max_context_length", "n_ctx", "block_size", "seq_len"),
)
_ORIGINAL = "original_max_position_embeddings"
_INNER = ("text_config", "llm_config", "language_config")
# Scaled RoPE stretches what the model was trained with first. Other kinds (llama3, longrope) are published
# with the stretched length in max_position_embeddings.
_STRETCHING = frozenset({"yarn", "deepseek_yarn", "linear", "dynamic", "ntk"})


def read(config: Mapping[str, Any], tokenizer_config: Mapping[str, Any] | None = None) -> int:
    """The longest context in tokens; a small default where no file has it.

    YaRN's length is `original_max_position_embeddings` times `factor` (https://arxiv.org/abs/2309.00071):
    some configs have it in max_position_embeddings, others still the original one.
    """
    text = _text_of(config)
    own = next(_figures(text), None) or next(_figures(config), None)
    if own is None:
        own = _sound((tokenizer_config or {}).get("model_max_length"))
    return max(own or _DEFAULT, *_stretched(text), 1)


def _text_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that is about the language model."""
    return next((config[key] for key in _INNER if isinstance(config.get(key), Mapping)), config)


def _figures(config: Mapping[str, Any]) -> Iterator[int]:
    yield from (figure for name in _NAMES if (figure := _sound(config.get(name))))


def _stretched(text: Mapping[str, Any]) -> Iterator[int]:
    for rope in _ropes(text):
        is_stretching = rope.get("rope_type", rope.get("type")) in _STRETCHING
        original = _sound(rope.get(_ORIGINAL) or text.get(_ORIGINAL))
        if is_stretching and original:
            yield min(_LONGEST, round(_factor(rope.get("factor")) * original))


def _ropes(text: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The settings of RoPE: one set, or one for each type of layer."""
    for key in ("rope_scaling", "rope_parameters"):
        given = text.get(key)
        if isinstance(given, Mapping):
            yield given
            yield from (inner for inner in given.values() if isinstance(inner, Mapping))


def _factor(given: Any) -> float:
    """A factor that makes sense, or 0."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return float(given) if is_number and 1 <= given <= _MOST else 0.0


def _sound(figure: Any) -> int | None:
    """A plausible length, or None: tokenizers are saved with 1e30 for "not known"."""
    return figure if type(figure) is int and 0 < figure <= _LONGEST else None
