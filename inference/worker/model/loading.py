"""From a model folder to a model on the device: weights, tokenizer, adapter."""

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import load_model
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from inference.adapters import Adapter, ModelFacts, adapter_for, self_test
from inference.core.errors import LoadFailure
from inference.core.model_card import Finding
from inference.core.protocol import Load
from inference.core.requests import Sampling
from inference.repository.files import context_length, pooling, remote_code
from inference.repository.files.pooling import Pooling
from inference.worker.model import batch_support, chat_template_files, cpu, encoders, mlx_lm_patches
from inference.worker.model.batch_support import BatchSupport
from inference.worker.model.batch_verification import verified
from inference.worker.model.encoders import Encoder
from inference.worker.model.out_of_memory import is_out_of_memory
from inference.worker.model.tokenizer import HubTokenizer

_CHUNK_BYTES = 64 * 2**20
_DAMAGED = "its weights give no numbers (NaN or infinity): they are damaged"
_PROBE_TOKENS = [0, 1, 2, 3]  # token ids that every vocabulary has


class RefusedModel(Exception):
    """The folder asks for something this server never does; the message is for its owner."""


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to step, and what the text side needs to serve it."""

    model: nn.Module
    tokenizer: HubTokenizer
    adapter: Adapter
    own_sampling: Sampling
    context_length: int
    vocab_size: int
    device: str
    seconds: float
    kv_bytes_per_token: int = 0
    findings: tuple[Finding, ...] = ()  # of the self-test and the verification
    support: BatchSupport = BatchSupport()  # what of batching it does right
    pooling: Pooling | None = None  # how it makes embeddings; None: it makes text
    vector_size: int = 0  # numbers in an embedding

    @property
    def encoder(self) -> Encoder:
        """The model of a LoadedModel that has a `pooling`."""
        return cast(Encoder, self.model)

    @property
    def stop_ids(self) -> frozenset[int]:
        return self.adapter.stop_ids


def load(options: Load, on_progress: Callable[[int], None]) -> LoadedModel:
    """Load the model `options` names onto its device, reporting percent of the weights."""
    started, on_progress = time.perf_counter(), _monotonic(on_progress)
    folder = Path(options.path)
    mlx_lm_patches.patch_models()
    device = _choose_device(options)
    facts = read_facts(folder)
    _refuse_code(facts)
    _refuse_infinities(facts.config)
    pooled = _pooling(options, facts)
    # A third of a second of Python, while the weights are read by native code.
    tokenizer_future = ThreadPoolExecutor(1, thread_name_prefix="tokenizer").submit(_read_tokenizer, folder)
    model = _lazy_model(folder, encoders.load_options() if pooled else {})
    if device == "cpu":
        model = cpu.prepared(model, on_progress)
    _materialise(model, on_progress)
    tokenizer = tokenizer_future.result()
    adapter, found = _adapter_within(options.prepare_limit_s, facts, tokenizer, options.adapter)
    loaded = LoadedModel(
        model=model,
        tokenizer=tokenizer,
        adapter=adapter,
        findings=found,
        own_sampling=Sampling.recommended(facts.generation_config),
        context_length=_context_length(
            model, facts, options.context_limit, pooled.longest if pooled else None
        ),
        vocab_size=0,
        device=device,
        seconds=0,
        pooling=pooled,
    )
    loaded = _with_vector(loaded) if pooled else _with_support(_with_probe(loaded), facts, options)
    return replace(loaded, seconds=time.perf_counter() - started)


def _lazy_model(folder: Path, how: Mapping[str, Any]) -> nn.Module:
    try:
        model: nn.Module = load_model(folder, lazy=True, trust_remote_code=False, **how)[0]
    except SystemExit:
        # mlx-lm's module for OLMo does so: a thread that is ended this way ends without a word.
        raise RefusedModel("mlx-lm needs another package for this kind of model; the log names it") from None
    return model


def examine(options: Load) -> tuple[Finding, ...]:
    """What the self-test finds of a model's small files, as a load of it would; no weight is read."""
    facts = read_facts(Path(options.path))
    _refuse_code(facts)
    if _pooling(options, facts):
        return ()
    tokenizer = _read_tokenizer(Path(options.path))
    return _adapter_within(options.prepare_limit_s, facts, tokenizer, options.adapter)[1]


def _read_tokenizer(folder: Path) -> HubTokenizer:
    options = {"trust_remote_code": False, "local_files_only": True}
    try:
        hub = AutoTokenizer.from_pretrained(folder, **options)
    except Exception:
        # Its class may want a package that is not there (Mistral's own), be unknown to this transformers,
        # or be that of a processor. The file says all that such a class would.
        if not (folder / "tokenizer.json").exists():
            raise
        hub = PreTrainedTokenizerFast.from_pretrained(folder, **options)
    own = hub.chat_template
    if not own or (isinstance(own, dict) and "default" not in own):
        hub.chat_template = chat_template_files.find(folder) or None
    return HubTokenizer(hub)


def read_facts(folder: Path) -> ModelFacts:
    """The folder's small files, as the adapters want them."""
    return ModelFacts(
        config=_read_json(folder / "config.json"),
        generation_config=_read_json(folder / "generation_config.json"),
        tokenizer_config=_read_json(folder / "tokenizer_config.json"),
        chat_template=chat_template_files.find(folder),
    )


def _adapter_within(
    limit_s: float, facts: ModelFacts, tokenizer: HubTokenizer, name: str
) -> tuple[Adapter, tuple[Finding, ...]]:
    """The model's adapter, tried: both run the model's template, and one without end fails the load."""
    trying = ThreadPoolExecutor(1, thread_name_prefix="probe").submit(_self_tested, facts, tokenizer, name)
    try:
        return trying.result(limit_s)
    except TimeoutError:
        # The thread goes on, but the site ends the process of a failed load.
        raise RefusedModel("its chat template does not come to an end") from None


def _self_tested(
    facts: ModelFacts, tokenizer: HubTokenizer, name: str
) -> tuple[Adapter, tuple[Finding, ...]]:
    adapter = adapter_for(facts, tokenizer, name)
    found = (*self_test.findings(adapter, tokenizer), *tokenizer.findings)
    for finding in found:
        if (finding.about, finding.light) == ("tools", "red"):
            adapter.refuse_tools(finding.text)
    return adapter, found


def _pooling(options: Load, facts: ModelFacts) -> Pooling | None:
    try:
        return pooling.read(Path(options.path), facts.config, options.model)
    except pooling.OddPooling as error:
        raise RefusedModel(str(error)) from None


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    return found if isinstance(found, dict) else {}


def _refuse_code(facts: ModelFacts) -> None:
    for name, file in (("config.json", facts.config), ("tokenizer_config.json", facts.tokenizer_config)):
        if key := remote_code.asked_by(file):
            raise RefusedModel(
                f"its {name} asks to run code of its own ({key}), which this server never does"
            )


def _refuse_infinities(config: Any, path: str = "") -> None:
    """1e400 is infinity to a JSON reader; the model would be made of it and say nothing."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            _refuse_infinities(value, f"{path}.{key}" if path else str(key))
    elif isinstance(config, list):
        for value in config:
            _refuse_infinities(value, path)
    # Bounds may be open: Mamba's time_step_limit is [0, inf].
    elif isinstance(config, float) and not math.isfinite(config) and not path.endswith("_limit"):
        raise RefusedModel(f"{path} in its config.json is not a finite number")


def _choose_device(options: Load) -> str:
    if options.device == "cpu":
        mx.set_default_device(mx.cpu)
    is_cpu = mx.default_device().type == mx.DeviceType.cpu
    if options.device == "gpu" and is_cpu:
        raise RefusedModel("MLX_SERVER_DEVICE is gpu, but MLX sees no GPU on this machine")
    if is_cpu:
        # Each newly compiled kernel starts the C++ compiler, if there is one: about a second a piece.
        mx.disable_compile()
    elif options.wired_limit and mx.metal.is_available():
        mx.set_wired_limit(options.wired_limit)
    return "cpu" if is_cpu else "gpu"


def _monotonic(report: Callable[[int], None]) -> Callable[[int], None]:
    """The same, but what has been loaded is never taken back."""
    highest = -1

    def rise(percent: int) -> None:
        nonlocal highest
        if percent > highest:
            highest = percent
            report(percent)

    return rise


def _materialise(model: nn.Module, on_progress: Callable[[int], None]) -> None:
    """Read the lazy weights in pieces, so that progress can be told and peak memory stays low."""
    total = sum(array.nbytes for _, array in tree_flatten(model.parameters()))
    done = 0
    for chunk in _chunks(model):
        mx.eval(chunk)
        done += sum(array.nbytes for array in chunk)
        on_progress(100 * done // max(total, 1))
    mx.clear_cache()


def _chunks(model: nn.Module) -> Iterator[list[mx.array]]:
    chunk: list[mx.array] = []
    for _, array in tree_flatten(model.parameters()):
        chunk.append(array)
        if sum(a.nbytes for a in chunk) >= _CHUNK_BYTES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _context_length(model: nn.Module, facts: ModelFacts, *limits: int | None) -> int:
    own = context_length.read(facts.config, facts.tokenizer_config)
    return min(limit for limit in (own, *_position_tables(model), *limits) if limit)


def _position_tables(model: nn.Module) -> Iterator[int]:
    """Rows of learnt position tables: MLX does not check, and beyond their end is foreign memory."""
    for name, array in tree_flatten(model.parameters()):
        if re.search(r"(^|\.)(wpe|position_embeddings?|embed_positions)\.weight$", name):
            yield array.shape[0]


def _with_probe(loaded: LoadedModel) -> LoadedModel:
    """How many logits the model gives, and what each token adds to its KV caches, in bytes.

    A token id at or above the first would read past the embedding. Computing a few tokens also has the device
    compile its kernels before anybody waits for them, and shows damaged weights: they give NaN, of which
    every answer is empty.
    """
    caches = make_prompt_cache(loaded.model)
    logits = loaded.model(mx.array([_PROBE_TOKENS]), cache=caches)
    last = np.array(logits[0, -1].astype(mx.float32))
    # Minus infinity alone is what some models say of tokens that they pad their vocabulary with.
    if np.isnan(last).any() or not np.isfinite(last.max()):
        raise RefusedModel(_DAMAGED)
    growing = [leaf for cache in caches for _, leaf in tree_flatten(cache.state) if _grows(leaf)]
    kv_bytes = sum(leaf.nbytes // leaf.shape[2] for leaf in growing)
    return replace(loaded, vocab_size=int(logits.shape[-1]), kv_bytes_per_token=kv_bytes)


def _with_support(loaded: LoadedModel, facts: ModelFacts, options: Load) -> LoadedModel:
    """Whether it says in a batch what it says alone: found once for each kind of model, and kept."""
    support = batch_support.load_or_verify(
        lambda: verified(loaded.model, loaded.vocab_size), facts.config, options.batch_support_path
    )
    return replace(loaded, support=support, findings=(*loaded.findings, *support.findings))


def _with_vector(loaded: LoadedModel) -> LoadedModel:
    """How long an embedding model's vectors are; the self-test of a chat has nothing to say of it."""
    hidden = loaded.encoder.encode(mx.array([[0]]), mx.array([1]), loaded.encoder.new_cache())
    mx.eval(hidden)
    if not np.isfinite(np.array(hidden.astype(mx.float32))).all():
        raise RefusedModel(_DAMAGED)
    size = int(hidden.shape[-1])
    return replace(loaded, vocab_size=loaded.encoder.vocab_size, vector_size=size, findings=())


def _grows(leaf: object) -> bool:
    """Keys and values, shape (1, heads, tokens, size); recurrent states have fewer dimensions."""
    return isinstance(leaf, mx.array) and leaf.ndim == 4 and leaf.shape[2] > 0


def reason_for(error: Exception) -> str:
    """Why a load failed, for the client: no paths and no traceback, those are in the log."""
    if isinstance(error, RefusedModel):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "a file of the model is missing"
    if is_out_of_memory(error):
        return "there is not enough memory for it"
    if isinstance(error, ValueError) and "not supported" in str(error):
        return "mlx-lm does not know this kind of model"
    return "its files cannot be read as a model; the server's log has the details"


def kind_of(error: Exception) -> LoadFailure:
    """The same for the pool, which decides by it whether to try again."""
    if isinstance(error, RefusedModel):
        return "refused"
    return "out_of_memory" if is_out_of_memory(error) else "files"
