"""What may be served from this machine's disk, known from small files alone: no weights are read."""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from inference.core.background_refresh import BackgroundRefresh
from inference.core.model_card import Choice, ModelCard
from inference.core.requests import Sampling
from inference.repository import hub_cache, memory_estimate
from inference.repository.files import context_length, json_files, pooling, remote_code
from inference.repository.files.json_files import Unreadable
from inference.repository.files.safetensors import BrokenWeights, Tensor, read_tensors
from inference.repository.model_folders import Place, lacking, places, sayable

logger = logging.getLogger(__name__)
_LOOK_AGAIN_S = 1.0
_LOOK_IN_HUB_CACHE_AGAIN_S = 20.0
_PATIENCE_S = 0.5  # of a request, with a look that takes long
_WORKSPACE = 1.1  # activations and buffers beside the weights
_NO_CHOICE = Choice()
_SWITCHED_OFF = "an operator has switched it off"
Choices = Mapping[str, Choice]


def no_choices() -> Choices:
    return {}


class Seen(msgspec.Struct, frozen=True):
    """What one look at the disk and the operator's choices found."""

    cards: Mapping[str, ModelCard]
    aliases: Mapping[str, str]

    @classmethod
    def of(cls, cards: dict[str, ModelCard]) -> "Seen":
        # Backwards, so that of two models with one alias the first in order has it.
        aliases = {alias: name for name in reversed(cards) for alias in cards[name].aliases}
        return cls(cards, aliases)


class Catalog:
    """The models below one folder and those in the Hugging Face cache, joined with what the operator chose.

    Safe to use from several threads. A folder's card is made once and again whenever one of its files
    changes; which folders there are, and what was chosen, is looked at again after a second. A thread of its
    own looks: whoever asks while a slow disk or database keeps it is told what was known before.
    `hub_cache` is where the Hugging Face cache lies, by default where its own settings say; `clock` counts
    seconds.
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
        patience_s: float = _PATIENCE_S,
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
        self._looks = BackgroundRefresh(
            self._look, again_after_s=_LOOK_AGAIN_S, patience_s=patience_s, clock=clock
        )
        # Used by the thread that looks alone:
        self._made: dict[Path, tuple[int, ModelCard]] = {}
        self._in_hub_cache: list[Place] = []
        self._hub_looked_at = float("-inf")

    def scan(self) -> tuple[ModelCard, ...]:
        """Every model's card, sorted by id; those that cannot be served say why."""
        return tuple(self._looks.latest().cards.values())

    def find(self, model_id: str) -> ModelCard | None:
        """The card of one model, by its id or else by an alias; looked up, never joined to a path."""
        seen = self._looks.latest()
        return seen.cards.get(model_id) or seen.cards.get(seen.aliases.get(model_id, ""))

    def exact(self, model_id: str) -> ModelCard | None:
        """The card of the model of this very id: for what is done to its row or its folder."""
        return self._looks.latest().cards.get(model_id)

    def pinned(self) -> tuple[str, ...]:
        """The ids of the models that are to stay loaded."""
        return tuple(card.id for card in self.scan() if card.is_pinned)

    def forget(self) -> None:
        """Look afresh the next time."""
        self._looks.forget()

    def _look(self) -> Seen:
        choices = self._choices()
        places = {place.name: place for place in self._places()}
        cards = {name: self._card(places[name]) for name in sorted(places)}
        folders = {place.folder for place in places.values()}
        self._made = {folder: made for folder, made in self._made.items() if folder in folders}
        return Seen.of(
            {name: _chosen(card, choices.get(name, _NO_CHOICE)) for name, card in cards.items() if card}
        )

    def _places(self) -> Iterator[Place]:
        if self._use_hub_cache:
            yield from self._hub_places()
        yield from places(self._models_dir)  # last, so that a folder wins over a cached model of its name

    def _hub_places(self) -> list[Place]:
        """The cache's models; it is large and rarely changes, so it is looked at less often."""
        if self._clock() - self._hub_looked_at > _LOOK_IN_HUB_CACHE_AGAIN_S:
            with contextlib.suppress(OSError):  # it cannot be read now: what was in it probably still is
                self._in_hub_cache = list(hub_cache.snapshots(self._hub_cache))
            self._hub_looked_at = self._clock()
        return self._in_hub_cache

    def _card(self, place: Place) -> ModelCard | None:
        """None for a folder that went away while it was looked at."""
        if place.problem:
            return _unfit_card(place)
        try:
            state = _fingerprint(place.folder)
        except OSError:
            return None
        known = self._made.get(place.folder)
        if known and known[0] == state and known[1].id == place.name:
            return known[1]
        card = self._new_card(place)
        self._made[place.folder] = (state, card)
        return card

    def _new_card(self, place: Place) -> ModelCard:
        try:
            return make_card(place.name, place.folder, place.source, self._machine)
        except Exception:  # the boundary: whatever is in one folder, the others are served
            logger.exception("The model %s cannot be read", place.name)
            unread = "it cannot be read; the server's log has the details"
            return _unfit_card(msgspec.structs.replace(place, problem=unread))


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
    own = _own_context(folder, config)
    dequantises, longest = machine.dequantises, min(own, limit or own)
    predict = memory_estimate.embedding_bytes if pools else memory_estimate.prefill_bytes
    return ModelCard(
        id=name,
        path=str(folder),
        source=source,
        family=sayable(str(config.get("model_type") or "unknown")[:80]),
        context_length=longest,
        weight_bytes=sum(tensor.bytes for tensor in tensors),
        resident_bytes=int(
            memory_estimate.weight_bytes(tensors, config, dequantises=dequantises) * _WORKSPACE
        ),
        kv_bytes_per_token=0
        if pools
        else memory_estimate.kv_bytes_per_token(config, dequantises=dequantises),
        prefill_bytes=predict(
            config, dequantises=dequantises, step=machine.prefill_step, context_length=longest
        ),
        created=_changed_at(folder / "config.json"),
        kind="embedding" if pools else "chat",
        problem=sayable(problem),
        own_sampling=_own_sampling(folder),
    )


def _unfit_card(place: Place) -> ModelCard:
    """The card of what was taken for a model and is none."""
    return ModelCard(
        id=place.name,
        path=str(place.folder),
        source=place.source,
        family="unknown",
        context_length=context_length.read({}),
        weight_bytes=0,
        resident_bytes=0,
        problem=place.problem,
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


def _read_config(folder: Path) -> tuple[dict[str, Any], str]:
    """config.json, and why the folder cannot be served if its small files say so already."""
    config: dict[str, Any] = {}
    for name in ("config.json", "tokenizer_config.json"):
        try:
            found = _read_file(folder / name)
        except Unreadable:
            return config, f"its {name} cannot be read"
        if name == "config.json":
            config = found
        if not config:
            return config, "its config.json cannot be read"
        if key := remote_code.asked_by(found):
            return config, f"it needs code of its own to run ({key} in {name}), which this server never does"
    return config, ""


def _read_file(path: Path) -> dict[str, Any]:
    if path.name == "tokenizer_config.json":  # it may list tens of thousands of tokens, of no use here
        return json_files.read_keys(path, *remote_code.KEYS)
    return json_files.read_object(path)


def _own_context(folder: Path, config: Mapping[str, Any]) -> int:
    try:
        settings = json_files.read_keys(folder / "tokenizer_config.json", "model_max_length")
    except Unreadable:
        settings = {}
    return context_length.read(config, settings)


def _own_sampling(folder: Path) -> Sampling:
    try:
        return Sampling.recommended(json_files.read_object(folder / "generation_config.json"))
    except Unreadable:
        return Sampling()


def _lacking(folder: Path) -> str:
    try:
        return lacking(set(os.listdir(folder)))
    except OSError:
        return "its files cannot be read"


def _fingerprint(folder: Path) -> int:
    """Changes whenever a file of the folder comes, goes or changes, and when a link leads to another one."""
    here = folder.stat()
    with os.scandir(folder) as entries:
        files = sorted((entry.name, *_state(entry)) for entry in entries)
    return hash((here.st_dev, here.st_ino, *files))


def _state(entry: "os.DirEntry[str]") -> tuple[int, int]:
    try:
        found = entry.stat()
    except OSError:  # a link to nowhere, or gone since
        return 0, 0
    return found.st_mtime_ns, found.st_size
