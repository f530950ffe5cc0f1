"""What may be served from this machine's disk, known from small files alone: no weights are read."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any, Literal

import msgspec
from huggingface_hub import scan_cache_dir
from huggingface_hub.errors import CacheNotFound

from inference import context_length, foreign_code, pooling, prediction
from inference.requests import Sampling
from inference.types import Choice, ModelCard
from inference.weights import BrokenWeights, Tensor, read_tensors, weight_files

logger = logging.getLogger(__name__)
_LOOK_AGAIN_S = 1.0
_LOOK_IN_HUB_CACHE_AGAIN_S = 20.0
_DEEPEST = 4
_MAX_CONFIG_BYTES = 32 * 2**20
_WORKSPACE = 1.1  # activations and buffers beside the weights
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tiktoken.model")
_NO_CHOICE = Choice()
_SWITCHED_OFF = "an operator has switched it off"
Place = tuple[str, Path, Literal["folder", "hub"]]
Choices = Mapping[str, Choice]


def no_choices() -> Choices:
    return {}


class Catalog:
    """The models below one folder and those in the Hugging Face cache, joined with what the operator chose.

    Safe to use from several threads. A folder's card is made once and again whenever one of its files
    changes; which folders there are, and what was chosen, is looked at again after a second. `hub_cache` is
    where the Hugging Face cache lies, by default where its own settings say; `clock` counts seconds.
    """

    def __init__(
        self,
        models_dir: Path,
        *,
        use_hub_cache: bool,
        hub_cache: Path | None = None,
        dequantises: bool | None = None,
        choices: Callable[[], Choices] = no_choices,
        context_limit: int | None = None,
        prefill_step: int = 512,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models_dir = models_dir
        self._choices = choices
        self._use_hub_cache = use_hub_cache
        self._hub_cache = hub_cache
        self._clock = clock
        self._machine = Machine(
            dequantises=sys.platform != "darwin" if dequantises is None else dequantises,
            context_limit=context_limit,
            prefill_step=prefill_step,
        )
        self._lock = threading.Lock()
        self._made: dict[Path, tuple[int, ModelCard]] = {}
        self._cards: Mapping[str, ModelCard] = {}
        self._aliases: Mapping[str, str] = {}
        self._looked_at = float("-inf")
        self._in_hub_cache: list[Place] = []
        self._hub_looked_at = float("-inf")

    def scan(self) -> tuple[ModelCard, ...]:
        """Every model's card, sorted by id; those that cannot be served say why."""
        return tuple(self._current().values())

    def find(self, model_id: str) -> ModelCard | None:
        """The card of one model, by its id or else by an alias; looked up, never joined to a path."""
        cards = self._current()
        return cards.get(model_id) or cards.get(self._aliases.get(model_id, ""))

    def exact(self, model_id: str) -> ModelCard | None:
        """The card of the model of this very id: for what is done to its row or its folder."""
        return self._current().get(model_id)

    def pinned(self) -> tuple[str, ...]:
        """The ids of the models that are to stay loaded."""
        return tuple(card.id for card in self.scan() if card.is_pinned)

    def forget(self) -> None:
        """Look afresh the next time."""
        with self._lock:
            self._looked_at = float("-inf")

    def _current(self) -> Mapping[str, ModelCard]:
        with self._lock:
            if self._clock() - self._looked_at > _LOOK_AGAIN_S:
                choices = self._choices()
                cards = self._look()
                self._cards = {name: _chosen(cards[name], choices.get(name, _NO_CHOICE)) for name in cards}
                # Backwards, so that of two models with one alias the first in order has it.
                self._aliases = {
                    alias: name for name in reversed(self._cards) for alias in self._cards[name].aliases
                }
                self._looked_at = self._clock()
            return self._cards

    def _look(self) -> Mapping[str, ModelCard]:
        places = {name: (name, folder, source) for name, folder, source in self._places()}
        cards = {name: self._card(*places[name]) for name in sorted(places)}
        self._made = {folder: self._made[folder] for _, folder, _ in places.values() if folder in self._made}
        return {name: card for name, card in cards.items() if card}

    def _places(self) -> Iterator[Place]:
        if self._use_hub_cache:
            yield from self._hub_places()
        # Last, so that a folder wins over a cached model of the same name.
        for folder in _model_folders(self._models_dir, _DEEPEST, tells_unfit=True):
            if folder != self._models_dir:
                yield folder.relative_to(self._models_dir).as_posix(), folder, "folder"

    def _hub_places(self) -> list[Place]:
        """The cache's models; it is large and rarely changes, so it is looked at less often."""
        if self._clock() - self._hub_looked_at > _LOOK_IN_HUB_CACHE_AGAIN_S:
            self._in_hub_cache = list(_in_hub_cache(self._hub_cache))
            self._hub_looked_at = self._clock()
        return self._in_hub_cache

    def _card(self, name: str, folder: Path, source: Literal["folder", "hub"]) -> ModelCard | None:
        """None for a folder that went away while it was looked at."""
        try:
            state = _fingerprint(folder)
        except OSError:
            return None
        known = self._made.get(folder)
        if known and known[0] == state and known[1].id == name:
            return known[1]
        card = make_card(name, folder, source, self._machine)
        self._made[folder] = (state, card)
        return card


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a prediction depends on beside the model."""

    dequantises: bool
    context_limit: int | None = None
    prefill_step: int = 512


def make_card(name: str, folder: Path, source: Literal["folder", "hub"], machine: Machine) -> ModelCard:
    """Read one folder's small files; whatever is wrong becomes the card's `problem`."""
    config, problem = _read_config(folder)
    problem = problem or _lacking(folder)
    tensors: list[Tensor] = []
    try:
        tensors = read_tensors(folder)
    except BrokenWeights as error:
        problem = problem or str(error)
    except OSError:
        problem = problem or "its files cannot be read"
    pools, odd = _pooling(folder, config, name)
    problem = problem or odd
    limit = min((limit for limit in (machine.context_limit, pools and pools.longest) if limit), default=None)
    own = context_length.read(config, _read_object(folder / "tokenizer_config.json"))
    dequantises, longest = machine.dequantises, min(own, limit or own)
    predict = prediction.embedding_bytes if pools else prediction.prefill_bytes
    return ModelCard(
        id=name,
        path=str(folder),
        source=source,
        family=_sayable(str(config.get("model_type") or "unknown")[:80]),
        context_length=longest,
        weight_bytes=sum(tensor.bytes for tensor in tensors),
        resident_bytes=int(prediction.weight_bytes(tensors, config, dequantises=dequantises) * _WORKSPACE),
        kv_bytes_per_token=0 if pools else prediction.kv_bytes_per_token(config, dequantises=dequantises),
        prefill_bytes=predict(
            config, dequantises=dequantises, step=machine.prefill_step, context_length=longest
        ),
        created=_changed_at(folder / "config.json"),
        kind="embedding" if pools else "chat",
        problem=_sayable(problem),
        own_sampling=Sampling.recommended(_read_object(folder / "generation_config.json") or {}),
    )


def _pooling(folder: Path, config: Mapping[str, Any], name: str) -> tuple[pooling.Pooling | None, str]:
    """How an embedding model pools, and why it cannot be served."""
    try:
        return pooling.read(folder, config, name), ""
    except pooling.OddPooling as error:
        return None, str(error)


def _chosen(card: ModelCard, choice: Choice) -> ModelCard:
    if choice == _NO_CHOICE:
        return card
    return msgspec.structs.replace(
        card,
        is_pinned=choice.is_pinned,
        idle_ttl_s=choice.idle_ttl_s,
        aliases=choice.aliases,
        adapter=choice.adapter,
        problem=card.problem or ("" if choice.is_enabled else _SWITCHED_OFF),
        is_enabled=choice.is_enabled,
        context_cap=choice.context_cap,
        own_context=card.context_length,
        context_length=min(card.context_length, choice.context_cap or card.context_length),
        sampling=choice.sampling,
    )


def _changed_at(path: Path) -> int:
    try:
        return int(path.stat().st_mtime)
    except OSError:
        return 0


def _sayable(text: str) -> str:
    """Half surrogates, from odd file names or JSON escapes, cannot be sent to anybody."""
    return text.encode(errors="replace").decode()


def _read_config(folder: Path) -> tuple[dict[str, Any], str]:
    """config.json, and why the folder cannot be served if its small files say so already."""
    config: dict[str, Any] = {}
    for name in ("config.json", "tokenizer_config.json"):
        found = _read_object(folder / name)
        if found is None or (name == "config.json" and not found):
            return config, f"its {name} cannot be read"
        if name == "config.json":
            config = found
        if key := foreign_code.asked_by(found):
            return config, f"it needs code of its own to run ({key} in {name}), which this server never does"
    return config, ""


def _read_object(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, empty when there is no such file, None when it is not to be read."""
    try:
        if not path.exists() and not path.is_symlink():
            return {}
        if not path.is_file() or path.stat().st_size > _MAX_CONFIG_BYTES:  # a pipe is waited for for ever
            return None
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _model_folders(root: Path, depth: int, *, tells_unfit: bool = False) -> Iterator[Path]:
    """Folders with a config, weights and a tokenizer; hidden ones are drafts, links may lead anywhere.

    With `tells_unfit` also those that only have a config, for somebody may wonder why they cannot be served.
    """
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError:
        return
    names = {entry.name for entry in entries}
    if "config.json" in names and (tells_unfit or not _lacking_of(names)):
        yield root
        tells_unfit = False  # the folders within are parts of it, such as an embedding model's 1_Pooling
    if depth == 0:
        return
    for entry in entries:
        if _is_shown(entry.name) and entry.is_dir(follow_symlinks=False):
            yield from _model_folders(Path(entry.path), depth - 1, tells_unfit=tells_unfit)


def _lacking(folder: Path) -> str:
    try:
        return _lacking_of(set(os.listdir(folder)))
    except OSError:
        return "its files cannot be read"


def _lacking_of(names: Set[str]) -> str:
    """What a folder with these files lacks to be a model, in words."""
    endings = {Path(name).suffix for name in names}
    if ".safetensors" not in endings:
        if ".gguf" in endings:
            return "its weights are a GGUF file; `manage.py import_gguf FILE` makes a model of it"
        return "it has no weights in the safetensors format"
    return "" if names & set(_TOKENIZERS) else f"it has no tokenizer ({' or '.join(_TOKENIZERS)})"


def _is_shown(name: str) -> bool:
    is_draft = name.startswith(".") or name.endswith(".partial")
    return not is_draft and _sayable(name) == name


def _in_hub_cache(cache_dir: Path | None) -> Iterator[Place]:
    """The newest complete snapshot of every model in the Hugging Face cache."""
    try:
        cache = scan_cache_dir(cache_dir)
    except (CacheNotFound, OSError, ValueError):  # ValueError: it is a file
        return
    for repo in cache.repos:
        if repo.repo_type != "model" or _sayable(repo.repo_id) != repo.repo_id:
            continue
        newest = sorted(repo.revisions, key=lambda revision: revision.last_modified, reverse=True)
        whole = (folder for revision in newest for folder in _model_folders(Path(revision.snapshot_path), 0))
        if folder := next(filter(_is_whole, whole), None):
            yield repo.repo_id, folder, "hub"


def _is_whole(folder: Path) -> bool:
    """False while somebody downloads it: its large files appear one by one."""
    try:
        return bool(weight_files(folder))
    except (BrokenWeights, OSError):
        return False


def _fingerprint(folder: Path) -> int:
    """Changes whenever a file of the folder comes, goes or changes."""
    with os.scandir(folder) as entries:
        return hash(tuple(sorted((entry.name, *_state(entry)) for entry in entries)))


def _state(entry: "os.DirEntry[str]") -> tuple[int, int]:
    try:
        found = entry.stat()
    except OSError:  # a link to nowhere, or gone since
        return 0, 0
    return found.st_mtime_ns, found.st_size
