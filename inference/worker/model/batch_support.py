"""Which ways of batching give right answers with a model, and where that result is stored.

Some of mlx-lm's models give other answers in a batch than alone, without any error
(https://github.com/ml-explore/mlx-lm/issues/690, https://github.com/ml-explore/mlx-lm/issues/736). So each
model is verified (batch_verification.py) when it is loaded for the first time. The result depends on the
architecture, the shapes in its config and mlx-lm, not on the weights; it is stored under a key of these.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from inference.core.model_card import Finding

logger = logging.getLogger(__name__)
_REVISION = 1  # of the verification; raised whenever it checks more
# These keys change no shape: a fine-tune of a verified model is not verified again.
_IRRELEVANT = """
    _name_or_path _commit_hash transformers_version architectures bos_token_id eos_token_id pad_token_id
    decoder_start_token_id id2label label2id use_cache initializer_range attention_dropout
"""


class BatchSupport(Struct, frozen=True, kw_only=True):
    """The ways of batching that give right answers."""

    can_batch: bool = True  # rows that decode together
    can_prefill_together: bool = True  # prompts of unequal length, padded into one chunk
    can_trim_prefixes: bool = True  # caches that were trimmed
    can_reuse_prefixes: bool = True  # caches that were stored and are used again
    reason: str = ""  # why can_batch is False, for the model's owner

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings for the model's owner."""
        if self.can_batch:
            return ()
        text = f"Requests are computed one at a time, because {self.reason}. Answers are correct, but slower."
        return (Finding(light="amber", about="batch", text=text),)


def load_or_verify(
    verify: Callable[[], BatchSupport], config: Mapping[str, Any], folder: str, kv_bits: int = 0
) -> BatchSupport:
    """The result stored in this folder for such a model, or a new one, which is stored; "" stores nothing."""
    if not folder:
        return verify()
    path = Path(folder) / f"{key_of(config, kv_bits)}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=BatchSupport)
    except (OSError, msgspec.MsgspecError):
        support = verify()
        _write(path, support)
        return support


def key_of(config: Mapping[str, Any], kv_bits: int = 0) -> str:
    """The file name under which models with this config.json and KV caches of these bits share a result."""
    versions = [_REVISION, version("mlx"), version("mlx-lm"), *([f"kv{kv_bits}"] if kv_bits else [])]
    text = json.dumps([versions, _shapes(config)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _shapes(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _shapes(one) for key, one in value.items() if key not in _IRRELEVANT.split()}
    return value


def _write(path: Path, support: BatchSupport) -> None:
    draft = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_bytes(msgspec.json.encode(support))
        draft.replace(path)
    except OSError as error:  # it is verified again at the next load
        logger.warning("Cannot store the result of a verification: %s", error)
