"""The small JSON files of a model folder, from which adapters are chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ModelFacts:
    """Configuration files and chat template of a model; empty where the model has none."""

    config: Mapping[str, Any] = field(default_factory=dict)
    generation_config: Mapping[str, Any] = field(default_factory=dict)
    tokenizer_config: Mapping[str, Any] = field(default_factory=dict)
    chat_template: str = ""

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type", ""))

    def has_added_token(self, token: str) -> bool:
        """Whether tokenizer_config.json lists this added token."""
        added = self.tokenizer_config.get("added_tokens_decoder")
        listed = added.values() if isinstance(added, Mapping) else ()
        return any(isinstance(entry, Mapping) and entry.get("content") == token for entry in listed)
