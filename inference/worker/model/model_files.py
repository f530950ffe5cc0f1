"""The small files of a model folder: read, and checked before a weight is read."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from inference.adapters import ModelFacts
from inference.core.protocol import Load
from inference.repository.files import chat_template_files, pooling, remote_code
from inference.repository.files.pooling import Pooling
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.tokenizer import HubTokenizer


def read_facts(folder: Path) -> ModelFacts:
    """The folder's JSON files and chat template. Raises OSError or ValueError if one cannot be read."""
    return ModelFacts(
        config=_read_json(folder / "config.json"),
        generation_config=_read_json(folder / "generation_config.json"),
        tokenizer_config=_read_json(folder / "tokenizer_config.json"),
        chat_template=chat_template_files.find(folder),
    )


def read_tokenizer(folder: Path) -> HubTokenizer:
    """The folder's tokenizer with its chat template. Raises what transformers raises."""
    options = {"trust_remote_code": False, "local_files_only": True}
    try:
        hub = AutoTokenizer.from_pretrained(folder, **options)
    except Exception:
        # The named class may need a package that is not installed (Mistral's), be unknown to this
        # transformers, or be that of a processor. tokenizer.json has all that such a class would add.
        if not (folder / "tokenizer.json").exists():
            raise
        hub = PreTrainedTokenizerFast.from_pretrained(folder, **options)
    own = hub.chat_template
    if not own or (isinstance(own, dict) and "default" not in own):
        hub.chat_template = chat_template_files.find(folder) or None
    return HubTokenizer(hub)


def read_pooling(options: Load, facts: ModelFacts) -> Pooling | None:
    """How an embedding model pools; None for a text model. Raises RefusedModel for an unknown pooling."""
    try:
        return pooling.read(Path(options.path), facts.config, options.model)
    except pooling.OddPooling as error:
        raise RefusedModel(str(error)) from None


def read_picture_rules(folder: Path) -> dict[str, Any]:
    """How the model's pictures are resized and normalised; the newer of the two files counts."""
    newer = _read_json(folder / "processor_config.json").get("image_processor")
    return _read_json(folder / "preprocessor_config.json") | (newer if isinstance(newer, dict) else {})


def refuse_code(facts: ModelFacts) -> None:
    """Raise RefusedModel if the folder asks to run code of its own."""
    for name, file in (("config.json", facts.config), ("tokenizer_config.json", facts.tokenizer_config)):
        if key := remote_code.required_key(file):
            raise RefusedModel(f"its {name} requires its own code ({key}), which this server never runs")


def refuse_infinities(config: Any, path: str = "") -> None:
    """Raise RefusedModel for a number like 1e400: JSON reads infinity, and every answer would be empty."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            refuse_infinities(value, f"{path}.{key}" if path else str(key))
    elif isinstance(config, list):
        for value in config:
            refuse_infinities(value, path)
    # Bounds may be open: Mamba's time_step_limit is [0, inf].
    elif isinstance(config, float) and not math.isfinite(config) and not path.endswith("_limit"):
        raise RefusedModel(f"{path} in its config.json is not a finite number")


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    return found if isinstance(found, dict) else {}
