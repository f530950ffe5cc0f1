"""Models of the hub, joined with what this server can do with them. Asks the hub: call it from a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from msgspec import Struct

from inference.adapters import ADAPTERS, ModelFacts
from inference.core import disk_space
from inference.core.model_card import ModelCard
from inference.repository.discovery import hub_search, remote_model
from inference.repository.discovery.hub_model import HubModel
from inference.repository.discovery.hub_search import Format, SearchOrder
from inference.repository.discovery.remote_model import HubModelDetails
from inference.repository.downloads.errors import HubBusy
from inference.serving import model_details, runtime
from inference.serving.discovery import verdict
from inference.serving.discovery.recent_results import RecentResults
from inference.serving.discovery.verdict import Verdict

_MOST_AT_ONCE = 6
_WAIT_S = 30.0
_places = threading.BoundedSemaphore(_MOST_AT_ONCE)


class FoundModel(Struct, frozen=True, kw_only=True):
    """One result of a search, with what it can do as far as the hub's answer says."""

    hub: HubModel
    capabilities: tuple[str, ...] = ()  # of "tools", "thinking", "pictures"


class ExaminedModel(Struct, frozen=True, kw_only=True):
    """What is known of a model of the hub from its small files and the headers of its weights."""

    card: ModelCard
    download_bytes: int
    capabilities: tuple[str, ...]
    adapter: str  # by name; "default" for a model that no other adapter is for
    licence: str
    is_gated: bool


class Examination(Struct, frozen=True, kw_only=True):
    """An examined model, and whether it can be downloaded and fits here at this moment."""

    model: ExaminedModel
    verdict: Verdict
    disk_problem: str = ""  # why it cannot be downloaded now, as a text


_searches: RecentResults[list[FoundModel]] = RecentResults(most=50, fresh_s=60)
_examined: RecentResults[ExaminedModel] = RecentResults(most=300, fresh_s=600)


def search(words: str, *, order: SearchOrder, format: Format, most: int = 20) -> list[FoundModel]:
    """Models by words; raises FetchFailed."""

    def ask() -> list[FoundModel]:
        with _place():
            return [_found(one) for one in hub_search.search(words, order=order, format=format, most=most)]

    return _searches.get((words, order, format, most), ask)


def examine(repo: str) -> Examination:
    """What is known of a model before its download, and whether it fits; raises FetchFailed."""

    def ask() -> ExaminedModel:
        with _place():
            return _examined_model(remote_model.read(repo, runtime.machine()))

    model = _examined.get(repo, ask)
    shortage = disk_space.shortage(settings.CONFIG.models_path, model.download_bytes)
    return Examination(
        model=model,
        verdict=verdict.of(model.card)[0],
        disk_problem=f"Its download {shortage}." if shortage else "",
    )


def forget() -> None:
    """Ask the hub again the next time."""
    _searches.forget()
    _examined.forget()


@contextmanager
def _place() -> Iterator[None]:
    """One of a few places, so that a slow hub holds no more than so many threads."""
    if not _places.acquire(timeout=_WAIT_S):
        raise HubBusy("The hub responds slowly, and other requests wait for it; try again shortly.")
    try:
        yield
    finally:
        _places.release()


def _found(model: HubModel) -> FoundModel:
    return FoundModel(hub=model, capabilities=_capabilities("chat", model.chat_template, model.has_vision))


def _examined_model(remote: HubModelDetails) -> ExaminedModel:
    facts = ModelFacts(
        config=remote.config,
        tokenizer_config=remote.tokenizer_config,
        chat_template=remote.chat_template,
    )
    return ExaminedModel(
        card=remote.card,
        download_bytes=remote.download_bytes,
        capabilities=_capabilities(remote.card.kind, remote.chat_template, remote.has_vision),
        adapter=next(adapter.name for adapter in ADAPTERS if adapter.fits(facts)),
        licence=remote.licence,
        is_gated=remote.is_gated,
    )


def _capabilities(kind: str, template: str, has_vision: bool) -> tuple[str, ...]:
    able = model_details.capabilities(kind, template)
    return (*(one for one in able if one in {"tools", "thinking"}), *["pictures"] * has_vision)
