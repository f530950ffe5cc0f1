"""Loads the draft model of a model."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mlx_lm.models.cache import KVCache, make_prompt_cache

from inference.core.load_progress import OnLoadProgress
from inference.core.model_card import Finding
from inference.core.protocol import Load
from inference.worker.model import cpu
from inference.worker.model.load_failure import RefusedModel, failure_reason
from inference.worker.model.load_report import LoadReport, part_of
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.model_files import read_facts, read_tokenizer, refuse_code, refuse_infinities
from inference.worker.model.probe import with_text_probe
from inference.worker.model.weights import lazy_model, materialise
from inference.worker.speculation.findings import obstacle

LoadModel = Callable[[Load, OnLoadProgress], LoadedModel]
logger = logging.getLogger(__name__)


def load_with_draft_model(options: Load, load: LoadModel, on_progress: OnLoadProgress) -> LoadedModel:
    """The model that `load` loads, with the draft model that its operator chose.

    `on_progress` gets the phases, and the percentage of the weights of both.
    """
    if not options.draft_model or options.speculation == "off":
        return load(options, on_progress)
    started, share = time.perf_counter(), _share_of_model(options)
    loaded = load(options, part_of(on_progress, 0.0, share))
    both = with_draft_model(loaded, options, part_of(on_progress, share, 1.0))
    return replace(both, seconds=time.perf_counter() - started)


def _share_of_model(options: Load) -> float:
    """How much of the bytes to be loaded are those of the model itself, from 0 to 1."""
    own, draft = (_weight_bytes(Path(path)) if path else 0 for path in (options.path, options.draft_path))
    return own / max(own + draft, 1)


def _weight_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def with_draft_model(loaded: LoadedModel, options: Load, on_progress: OnLoadProgress) -> LoadedModel:
    """The model with the draft model that its operator chose, or with a finding that says why not.

    1. Refuse where the model's own caches cannot be rolled back, and a folder that asks to run code.
    2. Compare the vocabularies: each token id has to mean the same in both.
    3. Read the weights, and probe them.
    4. Refuse a draft model whose caches cannot be rolled back.

    Whatever is wrong with the draft model, the model itself is served.
    """
    if loaded.pooling or obstacle(loaded.model, loaded.support):
        return loaded
    try:
        draft = _loaded(loaded, options, on_progress)
    except Exception as error:  # a folder can be wrong in any way, and the model answers without it
        logger.exception("Cannot load the draft model %s", options.draft_model)
        text = (
            f"It has no draft model: {options.draft_model} cannot be used, because {failure_reason(error)}."
        )
        finding = Finding(light="amber", about="speculation", text=text)
        return replace(loaded, findings=(*loaded.findings, finding))
    return replace(
        loaded,
        draft_model=draft.model,
        draft_name=options.draft_model,
        kv_bytes_per_token=loaded.kv_bytes_per_token + draft.kv_bytes_per_token,
    )


def _loaded(loaded: LoadedModel, options: Load, on_progress: OnLoadProgress) -> LoadedModel:
    if not options.draft_path:
        raise RefusedModel("this server has no model of that name that can be served")
    report, folder = LoadReport(on_progress, "draft"), Path(options.draft_path)
    if not (folder / "config.json").exists():  # which transformers would look for on the hub
        raise FileNotFoundError(folder)
    facts = read_facts(folder)
    refuse_code(facts)
    refuse_infinities(facts.config)
    tokenizer = read_tokenizer(folder)
    if tokenizer.hub.get_vocab() != loaded.tokenizer.hub.get_vocab():
        raise RefusedModel("its vocabulary is another one, so its tokens would mean something else")
    model = lazy_model(folder, {})
    if loaded.device == "cpu":
        model = cpu.prepared(model, report, frozenset(options.by_row))
    materialise(model, report)
    others = sorted({type(layer).__name__ for layer in make_prompt_cache(model)} - {KVCache.__name__})
    if others:
        raise RefusedModel(f"its caches ({', '.join(others)}) cannot be rolled back")
    return with_text_probe(replace(loaded, model=model, tokenizer=tokenizer))
