"""The models on this machine's disk, read from small files alone: no weights are read."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from inference.core.background_refresh import BackgroundRefresh
from inference.core.model_card import Choice, ModelCard, is_pattern
from inference.repository import hub_cache, lora_folders
from inference.repository.card_reader import Machine, make_card, unfit_card
from inference.repository.files.folder_tree import fingerprint
from inference.repository.model_folders import Place, places

logger = logging.getLogger(__name__)
_RESCAN_AFTER_S = 1.0
_RESCAN_HUB_CACHE_AFTER_S = 20.0
_TIMEOUT_S = 0.5  # for which a request waits for a scan
_NO_CHOICE = Choice()
_SWITCHED_OFF = "an operator has switched it off"
Choices = Mapping[str, Choice]


def no_choices() -> Choices:
    return {}


class CatalogContents(msgspec.Struct, frozen=True):
    """The cards that one scan of the disk and the operator's choices found."""

    cards: Mapping[str, ModelCard]
    aliases: Mapping[str, str]

    @classmethod
    def of(cls, cards: dict[str, ModelCard]) -> "CatalogContents":
        # Backwards, so that of two models with one alias the first in order has it.
        aliases = {alias: name for name in reversed(cards) for alias in cards[name].aliases}
        return cls(cards, aliases)

    def find(self, model_id: str) -> ModelCard | None:
        """See Catalog.find."""
        untagged = model_id.removesuffix(":latest")
        found = self._named(model_id) or self._named(untagged)
        if found:
            return found
        base = self._named(untagged.rpartition(":")[0])
        return base if base and base.variant_of(model_id) else self._by_pattern(model_id)

    def _by_pattern(self, name: str) -> ModelCard | None:
        """The model that has the longest of the patterns which the name begins with."""
        fitting = [one for one in self.aliases if is_pattern(one) and name.startswith(one[:-1])]
        return self._named(max(fitting, key=len)) if fitting else None

    def _named(self, name: str) -> ModelCard | None:
        return self.cards.get(name) or self.cards.get(self.aliases.get(name, ""))


class Catalog:
    """The models below one folder and those in the Hugging Face cache, joined with what the operator chose.

    Safe to use from several threads. A folder's card is made once and again whenever one of its files
    changes; the folders and the operator's choices are read again after a second. A thread of its own scans:
    while a slow disk or database holds it up, callers get what was known before. `hub_cache` is the folder of
    the Hugging Face cache, by default that of its own settings; `clock` counts seconds. `remote` returns the
    cards of models that other servers answer for; a folder of the same name wins. `ranks_here` returns
    how many of the ranks of a model run on this machine.
    """

    def __init__(
        self,
        models_dir: Path,
        *,
        use_hub_cache: bool,
        hub_cache: Path | None = None,
        dequantises: bool | None = None,
        choices: Callable[[], Choices] = no_choices,
        remote: Callable[[], Sequence[ModelCard]] = tuple,
        context_limit: int | None = None,
        prefill_step: int = 512,
        kv_bits: int = 0,
        picture_tokens: int = 4096,
        ranks_here: Callable[[int], int] = lambda ranks: ranks,
        clock: Callable[[], float] = time.monotonic,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._models_dir = models_dir
        self._choices, self._remote, self._ranks_here = choices, remote, ranks_here
        self._use_hub_cache = use_hub_cache
        self._hub_cache = hub_cache
        self._clock = clock
        self._machine = Machine(
            dequantises=sys.platform != "darwin" if dequantises is None else dequantises,
            context_limit=context_limit,
            prefill_step=prefill_step,
            kv_bits=kv_bits,
            picture_tokens=picture_tokens,
        )
        self._scans = BackgroundRefresh(
            self._scan, refresh_after_s=_RESCAN_AFTER_S, timeout_s=timeout_s, clock=clock
        )
        # Used only by the thread that scans:
        self._made: dict[Path, tuple[int, ModelCard]] = {}
        self._hub_cache_places: list[Place] = []
        self._hub_scanned_at = float("-inf")

    def scan(self) -> tuple[ModelCard, ...]:
        """Every model's card, sorted by id; those that cannot be served have a problem."""
        return tuple(self._scans.latest().cards.values())

    def find(self, model_id: str) -> ModelCard | None:
        """The card of one model, by its id or else by an alias; looked up, never joined to a path.

        `model:adapter` and `model:profile` find the model, if it has one of that name (ModelCard.variant_of).
        Clients of Ollama write the tag `latest` behind a name that has no other tag. An alias with `*` at its
        end is for all other names that begin with it.
        """
        return self._scans.latest().find(model_id)

    def known(self, model_id: str) -> ModelCard | None:
        """What `find` returned last: it reads nothing and does not wait."""
        contents = self._scans.known
        return contents.find(model_id) if contents else None

    def exact(self, model_id: str) -> ModelCard | None:
        """The card of the model of this very id: for what is done to its row or its folder."""
        return self._scans.latest().cards.get(model_id)

    def pinned(self) -> tuple[str, ...]:
        """The ids of the models that are to stay loaded."""
        return tuple(card.id for card in self.scan() if card.is_pinned)

    def forget(self) -> None:
        """Scan again the next time."""
        self._scans.forget()

    def _scan(self) -> CatalogContents:
        choices = self._choices()
        places = {place.name: place for place in self._places()}
        cards: dict[str, ModelCard | None] = {name: self._card(places[name]) for name in places}
        folders = {place.folder for place in places.values()}
        self._made = {folder: made for folder, made in self._made.items() if folder in folders}
        found = {card.id: card for card in self._remote()}
        found |= {name: card for name, card in cards.items() if card}
        return CatalogContents.of(
            {
                name: _chosen(found[name], choices.get(name, _NO_CHOICE), found, self._ranks_here)
                for name in sorted(found)
            }
        )

    def _places(self) -> Iterator[Place]:
        if self._use_hub_cache:
            yield from self._hub_places()
        yield from places(self._models_dir)  # last, so that a folder wins over a cached model of its name

    def _hub_places(self) -> list[Place]:
        """The cache's models; it is large and rarely changes, so it is scanned less often."""
        if self._clock() - self._hub_scanned_at > _RESCAN_HUB_CACHE_AFTER_S:
            with contextlib.suppress(OSError):  # it cannot be read now: what was in it probably still is
                self._hub_cache_places = list(hub_cache.snapshots(self._hub_cache))
            self._hub_scanned_at = self._clock()
        return self._hub_cache_places

    def _card(self, place: Place) -> ModelCard | None:
        """The card of one folder; None if it went away meanwhile."""
        if place.problem:
            return unfit_card(place)
        try:
            state = hash((fingerprint(place.folder), lora_folders.fingerprint(place.folder)))
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
            return unfit_card(msgspec.structs.replace(place, problem=unread))


def _chosen(
    card: ModelCard, choice: Choice, cards: Mapping[str, ModelCard], ranks_here: Callable[[int], int]
) -> ModelCard:
    if choice == _NO_CHOICE:
        return card
    bits = card.kv_bits if choice.kv_bits is None else choice.kv_bits
    card = card.with_kv_bits(bits)
    if choice.ranks > 1 and card.kind == "chat":
        card = card.with_ranks(choice.ranks, ranks_here(choice.ranks))
    elif choice.draft_model and choice.speculation != "off":
        card = card.with_draft_model(choice.draft_model, cards.get(choice.draft_model))
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
        speculation=choice.speculation,
        profiles=choice.profiles,
    )
