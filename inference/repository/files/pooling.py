"""Whether a model makes embeddings, and how its tokens become one vector: sentence-transformers' files.

modules.json lists the steps, a folder of its own has each step's settings
(https://sbert.net/docs/sentence_transformer/usage/custom_models.html). The site asks before it lists a model,
and the worker again before it loads one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from inference.repository.files import reranking

Mode = Literal["mean", "cls", "last"]
FAMILIES = frozenset({"bert", "qwen3"})  # by model_type: those the worker can compute vectors with
_ENCODERS = frozenset(
    {"bert", "distilbert", "roberta", "xlm-roberta", "mpnet", "modernbert", "nomic_bert", "new", "t5"}
)
# Conversions to MLX leave modules.json behind, and then only the name distinguishes these from chat models.
_BY_NAME: Mapping[str, tuple[str, Mode]] = {"qwen3-embedding": ("qwen3", "last")}
_MODES: Mapping[str, Mode] = {"cls": "cls", "mean": "mean", "lasttoken": "last"}
_FLAGS: Mapping[str, Mode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_lasttoken": "last",
}
_MAX_FILE_BYTES = 64 * 1024


class OddPooling(Exception):
    """The model makes embeddings in a way this server cannot; the message is for its owner."""


class Pooling(Struct, frozen=True, kw_only=True):
    """From the hidden states of a text's tokens to its vector."""

    mode: Mode  # their mean, the first one's (BERT's [CLS]), or the last one's
    normalises: bool = True  # to a length of 1
    reranks: reranking.How | None = None  # what is pooled becomes a score, and no vector
    longest: int | None = None  # tokens; what the model was trained on, where that is less than its context


def read(folder: Path, config: Mapping[str, Any], name: str) -> Pooling | None:
    """How the model in `folder` pools, None when it makes text; raises OddPooling."""
    family = str(config.get("model_type"))
    if found := _of_reranker(config, name):
        return found
    if not (folder / "modules.json").exists():
        return _without_modules(family, name)
    steps = _steps(folder)
    if family not in FAMILIES:
        raise OddPooling(f"embedding models of the kind {family[:40]} are not supported yet")
    if [kind for kind, _ in steps] not in (
        ["Transformer", "Pooling"],
        ["Transformer", "Pooling", "Normalize"],
    ):
        named = ", ".join(kind[:40] for kind, _ in steps[:8])
        raise OddPooling(f"its modules.json asks for steps that are not supported: {named}")
    return Pooling(mode=_mode(folder / steps[1][1]), normalises=len(steps) == 3, longest=_longest(folder))


def _of_reranker(config: Mapping[str, Any], name: str) -> Pooling | None:
    try:
        how = reranking.read(config, name)
    except reranking.OddReranking as error:
        raise OddPooling(str(error)) from None
    if how is None:
        return None
    mode: Mode = "last" if how == "judge" else "cls"
    return Pooling(mode=mode, normalises=False, reranks=how, longest=reranking.longest(config))


def _without_modules(family: str, name: str) -> Pooling | None:
    own = name.rpartition("/")[2].lower()
    for part, (kind, mode) in _BY_NAME.items():
        if part in own and family == kind:
            return Pooling(mode=mode)
    if family in _ENCODERS:
        raise OddPooling("it has no modules.json, which would say how its tokens become one vector")
    return None


def _steps(folder: Path) -> list[tuple[str, str]]:
    """Each step's kind and the name of its folder."""
    found = _read_json(folder / "modules.json")
    steps = [step for step in found if isinstance(step, dict)] if isinstance(found, list) else []
    kinds = [str(step.get("type")).rpartition(".")[2] for step in steps]
    paths = [str(step.get("path", "")) for step in steps]
    if not steps or any(path not in {"", Path(path).name} for path in paths):  # it may lead anywhere
        raise OddPooling("its modules.json cannot be read")
    return list(zip(kinds, paths, strict=True))


def _mode(folder: Path) -> Mode:
    settings = _read_json(folder / "config.json")
    if not isinstance(settings, dict):
        raise OddPooling(f"its {folder.name}/config.json cannot be read")
    chosen = [mode for flag, mode in _FLAGS.items() if settings.get(flag) is True]
    others = [
        k for k, on in settings.items() if k.startswith("pooling_mode_") and on is True and k not in _FLAGS
    ]
    if isinstance(named := settings.get("pooling_mode"), str):
        chosen, others = [_MODES[named]] if named in _MODES else [], []
    if len(chosen) != 1 or others:
        raise OddPooling("it pools in a way that is not supported; the mean, the first or the last token are")
    return chosen[0]


def _longest(folder: Path) -> int | None:
    settings = _read_json(folder / "sentence_bert_config.json")
    given = settings.get("max_seq_length") if isinstance(settings, dict) else None
    return given if type(given) is int and given > 0 else None


def _read_json(path: Path) -> Any:
    try:
        if not path.is_file() or path.stat().st_size > _MAX_FILE_BYTES:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
