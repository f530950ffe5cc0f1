"""A model as the hub's search describes it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

_ITEM_BYTES = {
    **{"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2},
    **{"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F4": 1},
}
_WITH_PICTURES = frozenset({"image-text-to-text", "any-to-any"})
_LONGEST = 80  # of a text that somebody else wrote


class HubModel(Struct, frozen=True, kw_only=True):
    """One result of a search; what the hub does not say is empty or 0."""

    id: str
    downloads: int = 0  # of the last 30 days
    likes: int = 0
    updated: str = ""  # the day, as 2026-11-30
    family: str = ""  # config.json's model_type
    quantization: str = ""  # such as "4bit", else the type of most of its numbers
    licence: str = ""
    weight_bytes: int = 0
    chat_template: str = ""
    has_vision: bool = False
    is_mlx: bool = False
    is_gated: bool = False

    @classmethod
    def of(cls, entry: Any) -> "HubModel | None":
        """Read one entry of the hub's answer; None for one without an id."""
        found = _mapping(entry)
        if not isinstance(found.get("id"), str):
            return None
        config, tags = _mapping(found.get("config")), _texts(found.get("tags"))
        counts = _counts(_mapping(found.get("safetensors")).get("parameters"))
        sizes = {kind: count * _ITEM_BYTES.get(kind, 0) for kind, count in counts.items()}
        return cls(
            id=found["id"],
            downloads=_number(found.get("downloads")),
            likes=_number(found.get("likes")),
            updated=_text(found.get("lastModified"))[:10],
            family=_text(config.get("model_type")),
            quantization=_quantization(config, tags) or max(sizes, key=sizes.__getitem__, default=""),
            licence=licence(found),
            weight_bytes=sum(sizes.values()),
            chat_template=_template(config),
            has_vision=_text(found.get("pipeline_tag")) in _WITH_PICTURES,
            is_mlx=found.get("library_name") == "mlx" or "mlx" in tags,
            is_gated=bool(found.get("gated")),
        )


def _quantization(config: Mapping[str, Any], tags: set[str]) -> str:
    for name in ("quantization", "quantization_config"):
        bits = _mapping(config.get(name)).get("bits")
        if type(bits) is int:
            return f"{bits}bit"
    return next((tag.replace("-", "") for tag in sorted(tags) if tag[1:] == "-bit" and tag[0].isdigit()), "")


def licence(entry: Any) -> str:
    """The licence in the hub's description of a model; empty where it says none."""
    described = _mapping(entry)
    named, tags = _mapping(described.get("cardData")), _texts(described.get("tags"))
    given = _text(named.get("license"))
    if given == "other":
        given = _text(named.get("license_name")) or given
    return given or next((tag.partition(":")[2] for tag in sorted(tags) if tag.startswith("license:")), "")


def _template(config: Mapping[str, Any]) -> str:
    for found in (config.get("chat_template_jinja"), _mapping(config.get("tokenizer_config"))):
        given = found.get("chat_template") if isinstance(found, Mapping) else found
        if isinstance(given, str):
            return given
    return ""


def _mapping(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _texts(given: Any) -> set[str]:
    return {one[:_LONGEST] for one in given if isinstance(one, str)} if isinstance(given, list) else set()


def _counts(given: Any) -> dict[str, int]:
    return {kind: _number(count) for kind, count in _mapping(given).items()}


def _number(given: Any) -> int:
    return given if type(given) is int and given > 0 else 0


def _text(given: Any) -> str:
    return given[:_LONGEST] if isinstance(given, str) else ""
