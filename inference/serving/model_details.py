"""What a model's small files say beyond its card, for the pages of one model. Reads the disk."""

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from inference.core.errors import UnsupportedField
from inference.core.model_card import ModelCard
from inference.repository.files import chat_template_files, json_files
from inference.repository.files.json_files import UnreadableJson

_THINKS = re.compile(r"enable_thinking|reasoning_content|reasoning_effort|<think>|\bthinking\b|<\|channel\|>")
# Of config.json, and what GGUF files call it.
_FIGURES: Mapping[str, str] = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "vocab_size": "vocab_size",
}


_TOKENIZER_KEYS = (
    *("tokenizer_class", "model_max_length", "add_bos_token", "add_eos_token", "add_prefix_space"),
    *("bos_token", "eos_token", "pad_token", "unk_token", "cls_token", "sep_token", "mask_token"),
    *("clean_up_tokenization_spaces", "padding_side", "truncation_side"),
)


class ModelDetails(Struct, frozen=True, kw_only=True):
    """A model's template, its capabilities in Ollama's terms, and its figures in GGUF's."""

    template: str = ""
    capabilities: tuple[str, ...] = ()
    figures: Mapping[str, int] = {}


def read(card: ModelCard) -> ModelDetails:
    """The details of a model; what cannot be read is left out."""
    if card.remote:
        can = {"tools": card.remote.takes_tools, "thinking": card.remote.can_reason}
        return ModelDetails(
            capabilities=("completion", *(name for name, is_there in can.items() if is_there))
        )
    folder = Path(card.path)
    template = _template(folder) if card.kind == "chat" else ""
    seen = ("vision",) if card.sees else ()
    return ModelDetails(
        template=template, capabilities=(*capabilities(card.kind, template), *seen), figures=_figures(folder)
    )


def tokenizer(card: ModelCard) -> dict[str, Any]:
    """A model's tokenizer_config.json, as vLLM's /tokenizer_info returns it; its tokens as texts.

    Raises UnsupportedField for a model that another server has.
    """
    if card.is_remote:
        raise UnsupportedField("Another server answers for this model and has its tokenizer.", param="model")
    folder = Path(card.path)
    found: dict[str, Any] = dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"))
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        with contextlib.suppress(UnreadableJson):
            found |= json_files.read_keys(folder / file, *_TOKENIZER_KEYS)
    tokens = {name: _token(value) for name, value in found.items() if name.endswith("_token")}
    template = _template(folder)
    return found | tokens | ({"chat_template": template} if template else {})


def _token(given: Any) -> Any:
    """A token's text: files have it alone, or with how it is matched."""
    return given.get("content") if isinstance(given, dict) else given


def _template(folder: Path) -> str:
    try:
        return chat_template_files.find(folder)
    except (OSError, ValueError, RecursionError):
        return ""


def capabilities(kind: str, template: str) -> tuple[str, ...]:
    """What a model of this kind with this chat template can do, in Ollama's terms."""
    if kind != "chat":
        return (kind,)
    # A template that knows no tools is given them in a message (adapters/base.py).
    found = {"tools": bool(template), "thinking": bool(_THINKS.search(template))}
    return ("completion", *(name for name, is_there in found.items() if is_there))


def _figures(folder: Path) -> dict[str, int]:
    try:
        config: Mapping[str, Any] = json_files.read_object(folder / "config.json")
    except UnreadableJson:
        return {}
    inner = config.get("text_config")
    text = {**config, **inner} if isinstance(inner, dict) else config
    return {name: text[key] for key, name in _FIGURES.items() if type(text.get(key)) is int}
