"""What of batching a model can be trusted with, and where that is kept between loads.

Some of mlx-lm's models say something else in a batch than alone, and nothing fails when they do
(https://github.com/ml-explore/mlx-lm/issues/690, https://github.com/ml-explore/mlx-lm/issues/736). So each
model is verified (batch_verification.py) when it is loaded for the first time. The result depends on the
architecture, on the shapes in its config and on mlx-lm, not on the weights, and is kept by these.
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
_REVISION = 1  # of the verification: raised whenever it looks at more
# They change no shape; a fine-tune of a verified model need not be verified again.
_IRRELEVANT = """
    _name_or_path _commit_hash transformers_version architectures bos_token_id eos_token_id pad_token_id
    decoder_start_token_id id2label label2id use_cache initializer_range attention_dropout
"""


class BatchSupport(Struct, frozen=True, kw_only=True):
    """What a model does right beside doing one prompt after another."""

    can_batch: bool = True  # rows that decode beside each other say what they say alone
    can_prefill_together: bool = True  # prompts of unequal length, padded into one chunk, too
    can_trim_prefixes: bool = True  # caches that went back go on as caches that never went further
    can_reuse_prefixes: bool = True  # and caches that were kept as they are
    reason: str = ""  # why not, for the model's owner

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the model's owner should know."""
        if self.can_batch:
            return ()
        text = f"Requests are computed one at a time, because {self.reason}. Answers are right, and slower."
        return (Finding(light="amber", about="batch", text=text),)


def load_or_verify(
    measure: Callable[[], BatchSupport], config: Mapping[str, Any], kept_in: str
) -> BatchSupport:
    """The support kept in this folder for such a model, or else measured now and kept; "" keeps nothing."""
    if not kept_in:
        return measure()
    path = Path(kept_in) / f"{key_of(config)}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=BatchSupport)
    except (OSError, msgspec.MsgspecError):
        support = measure()
        _write(path, support)
        return support


def key_of(config: Mapping[str, Any]) -> str:
    """The name under which models with this config.json share a result."""
    versions = [_REVISION, version("mlx"), version("mlx-lm")]
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
    except OSError as error:  # it is measured again at the next load
        logger.warning("Cannot keep what was verified of a model: %s", error)
