"""A loaded model."""

from dataclasses import dataclass, field
from typing import cast

import mlx.nn as nn

from inference.adapters import Adapter
from inference.core.model_card import Finding
from inference.core.requests import Sampling
from inference.repository.files.pooling import Pooling
from inference.worker.lora.weights import Targets
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.encoders import Encoder
from inference.worker.model.tokenizer import HubTokenizer
from inference.worker.vision.seen import VisionFamily


@dataclass(frozen=True)
class LoadedModel:
    """A model on its device, and what the prompt and text threads need to serve it."""

    model: nn.Module
    tokenizer: HubTokenizer
    adapter: Adapter
    own_sampling: Sampling  # what generation_config.json recommends
    context_length: int  # tokens
    vocab_size: int  # logits; token ids are below it
    device: str
    seconds: float
    kv_bytes_per_token: int = 0
    kv_bits: int = 0  # of quantised KV caches; 0: they are whole
    findings: tuple[Finding, ...] = ()  # of the self-test and the verification
    support: BatchSupport = BatchSupport()  # the ways of batching that give right answers
    needs_checkpoints: bool = False  # its caches are stored as a whole, at certain places of a prompt
    pooling: Pooling | None = None  # of an embedding model; None: it generates text
    vector_size: int = 0  # dimensions of an embedding
    draft_model: nn.Module | None = None  # a smaller model of the same vocabulary
    draft_name: str = ""
    vision: VisionFamily | None = None  # what it sees pictures with
    blindness: str = ""  # why it sees none, where its kind of model does
    lora_targets: Targets = field(default_factory=dict)  # the layers that adapters may change

    @property
    def encoder(self) -> Encoder:
        """The model of a LoadedModel with a `pooling`."""
        return cast(Encoder, self.model)

    @property
    def stop_ids(self) -> frozenset[int]:
        return self.adapter.stop_ids
