"""Loads a model folder: weights, tokenizer, adapter."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.cache import make_prompt_cache

from inference.adapters import ModelFacts
from inference.core.load_progress import OnLoadProgress
from inference.core.protocol import Load
from inference.core.requests import Sampling
from inference.repository.files import context_length
from inference.repository.files.pooling import Pooling
from inference.worker.lora.weights import targets
from inference.worker.model import batch_support, cpu, encoder_classes, mlx_lm_patches, text_classes
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.batch_verification import verified
from inference.worker.model.kv_choice import with_kv_bits
from inference.worker.model.load_failure import RefusedModel
from inference.worker.model.load_report import LoadReport
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.model_files import (
    read_facts,
    read_pooling,
    read_tokenizer,
    refuse_code,
    refuse_infinities,
)
from inference.worker.model.probe import position_table_sizes, with_embedding_probe, with_text_probe
from inference.worker.model.sharded_model import own_part, without_vision
from inference.worker.model.tested_adapter import tested_adapter
from inference.worker.model.vision_loading import with_vision
from inference.worker.model.weights import lazy_model, materialise
from inference.worker.prefix_cache.layers import needs_checkpoints
from inference.worker.sharding.group import wait_for_all


def load(options: Load, on_progress: OnLoadProgress) -> LoadedModel:
    """Load a model folder onto its device.

    1. Patch mlx-lm, choose the device, and read the folder's small files.
    2. Refuse folders that ask to run code or have numbers that are not finite.
    3. Read the tokenizer on another thread, and the weights meanwhile; on a CPU convert them to fp32.
       If several ranks compute the model, keep the part of this one alone.
    4. Find the adapter and run its self-test, within the time limit for preparing a prompt.
    5. Load what it sees with, if it is a vision model and the extra for it is installed.
    6. Probe the model: vocabulary size, bytes per token, damaged weights.
    7. Quantise the KV caches, if the operator chose it (text models only).
    8. Verify what the model computes in a batch, or take the stored result (text models only).

    `on_progress` gets the phases and the percentage of the weights that are on the device.

    Raises RefusedModel for what this server does not do, and whatever mlx-lm, transformers or the disk raise
    (see load_failure.py).
    """
    started, report = time.perf_counter(), LoadReport(on_progress, "weights")
    mlx_lm_patches.patch_models()
    folder, device = Path(options.path), choose_device(options)
    facts = read_facts(folder)
    refuse_code(facts)
    refuse_infinities(facts.config)
    pooled = read_pooling(options, facts)
    # It takes a third of a second of Python, while native code reads the weights.
    tokenizer_future = ThreadPoolExecutor(1, thread_name_prefix="tokenizer").submit(read_tokenizer, folder)
    model = own_part(lazy_model(folder, _classes(pooled, facts)), facts.config, options)
    if device == "cpu":
        model = cpu.prepared(model, report, frozenset(options.by_row))
    materialise(model, report)
    wait_for_all()
    tokenizer = tokenizer_future.result()
    adapter, found = tested_adapter(options.prepare_limit_s, facts, tokenizer, options.adapter)
    loaded = LoadedModel(
        model=model,
        tokenizer=tokenizer,
        adapter=adapter,
        findings=found,
        own_sampling=Sampling.recommended(facts.generation_config),
        context_length=_context_length(model, facts, options, pooled),
        vocab_size=0,
        device=device,
        seconds=0,
        pooling=pooled,
        lora_targets={} if pooled or options.ranks > 1 else targets(model),
    )
    loaded = with_embedding_probe(loaded) if pooled else _with_support(loaded, facts, options, report)
    return replace(loaded, seconds=time.perf_counter() - started)


def choose_device(options: Load) -> str:
    """Set MLX up for "cpu" or "gpu"; raises RefusedModel if a GPU is required and there is none."""
    if options.device == "cpu":
        mx.set_default_device(mx.cpu)
    is_cpu = mx.default_device().type == mx.DeviceType.cpu
    if options.device == "gpu" and is_cpu:
        raise RefusedModel("MLX_SERVER_DEVICE is gpu, but MLX sees no GPU on this machine")
    if is_cpu:
        # MLX compiles each CPU kernel with the C++ compiler, which takes about a second.
        mx.disable_compile()
    elif options.wired_limit and mx.metal.is_available():
        mx.set_wired_limit(options.wired_limit)
    return "cpu" if is_cpu else "gpu"


def _classes(pooled: Pooling | None, facts: ModelFacts) -> dict[str, Any]:
    """What mlx-lm needs to make a model whose class it does not choose itself."""
    return encoder_classes.load_options(pooled) if pooled else text_classes.load_options(facts.config)


def _context_length(model: nn.Module, facts: ModelFacts, options: Load, pooled: Pooling | None) -> int:
    """The smallest of the model's own length, its position tables and the limits that are set; in tokens."""
    own = context_length.read(facts.config, facts.tokenizer_config)
    limits = (options.context_limit, pooled.longest if pooled else None)
    return min(limit for limit in (own, *position_table_sizes(model), *limits) if limit)


def _with_support(loaded: LoadedModel, facts: ModelFacts, options: Load, report: LoadReport) -> LoadedModel:
    """Steps 5 to 8 of a text model; the result of a verification is stored for each kind of model."""

    def verify() -> BatchSupport:
        report.enter("verifying")
        return verified(loaded.model, loaded.vocab_size)

    if options.ranks > 1:
        loaded = without_vision(loaded, options.ranks)
    else:
        loaded = with_vision(loaded, facts, Path(options.path), options.picture_tokens, report)
    loaded = with_kv_bits(with_text_probe(loaded), options.kv_bits)
    support = batch_support.load_or_verify(
        verify,
        facts.config,
        options.batch_support_path if options.ranks == 1 else "",  # all ranks have to verify it, or none
        loaded.kv_bits,
    )
    caches = make_prompt_cache(loaded.model)
    return replace(
        loaded,
        support=support,
        needs_checkpoints=needs_checkpoints(caches, can_trim=support.can_trim_prefixes),
        findings=(*loaded.findings, *support.findings),
    )
