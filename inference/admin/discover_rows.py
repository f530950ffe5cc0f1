"""The rows of the page Discover: a model with its facts, its verdict, and what can be done with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inference.admin.download_view import DownloadView
from inference.admin.wording import size
from inference.core.model_card import ModelCard
from inference.repository.downloads import hub_settings
from inference.repository.downloads.errors import FetchFailed, HubUnavailable
from inference.serving import runtime
from inference.serving.discovery import hub_models
from inference.serving.discovery.hub_models import Examination, FoundModel
from inference.serving.discovery.suggested_models import Suggestion
from inference.serving.discovery.verdict import Verdict

Tone = Literal["good", "fair", "bad", "unknown"]
_TONES: dict[str, Tone] = {"fits": "good", "fits_alone": "good", "fits_shorter": "fair", "too_large": "bad"}
_ABLE = {
    "tools": "uses tools",
    "thinking": "thinks",
    "pictures": "supports pictures",
}
_KINDS = {"embedding": "makes embeddings", "rerank": "scores documents"}


@dataclass(frozen=True, kw_only=True)
class VerdictView:
    """A verdict as the page shows it; its script requests it as JSON with these keys."""

    text: str
    tone: Tone
    facts: tuple[str, ...] = ()
    can_download: bool = True
    gated: str = ""  # where to get access to a gated model


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """One model of the page; without a verdict, the page's script requests that."""

    id: str
    page: str  # its address on the hub
    facts: tuple[str, ...]
    remark: str = ""
    popularity: str = ""
    is_gated: bool = False
    verdict: VerdictView | None = None
    kind: str = ""  # of a model that is here: "chat", "embedding" or "rerank"
    problem: str = ""  # why the model that is here cannot be served
    download: str = ""  # the state of its download, if there is one
    progress: str = ""
    percent: int = 0


def examined(repo: str) -> VerdictView:
    """The verdict of a model of the hub; one that cannot be had has the reason."""
    try:
        found = hub_models.examine(repo)
    except HubUnavailable as error:
        return VerdictView(text=str(error), tone="unknown")
    except FetchFailed as error:
        return VerdictView(text=str(error), tone="bad", can_download=False)
    return _of_examination(found)


def _of_examination(found: Examination) -> VerdictView:
    card = found.model.card
    facts = tuple(_examined_facts(found))
    gated = hub_settings.page_of(card.id) if found.model.is_gated else ""
    if card.problem:
        text = f"It cannot be served: {card.problem}."
        return VerdictView(text=text, tone="bad", facts=facts, can_download=False, gated=gated)
    text = " ".join(filter(None, (found.verdict.text, found.disk_problem)))
    tone: Tone = "bad" if found.disk_problem else _TONES[found.verdict.outcome]
    return VerdictView(text=text, tone=tone, facts=facts, gated=gated)


def _examined_facts(found: Examination) -> Iterator[str]:
    card = found.model.card
    yield f"{size(found.model.download_bytes)} to download"
    yield from filter(None, (card.quantization, card.family))
    yield f"{card.context_length:,} tokens of context"
    if found.model.licence:
        yield found.model.licence
    if card.kind in _KINDS:
        yield _KINDS[card.kind]
        return
    yield from (_ABLE[one] for one in found.model.capabilities)
    known = found.model.adapter != "default"
    yield f"prompt format: {found.model.adapter}" if known else "prompt format: its own template"


def of_found(found: Sequence[FoundModel]) -> list[ModelView]:
    """The rows of a search's results, without verdicts."""
    return _with_state([_of_found(one) for one in found])


def of_suggestions(suggestions: Sequence[Suggestion]) -> list[ModelView]:
    """The rows of the suggested models, whose verdicts are known."""
    return _with_state([_of_suggestion(one) for one in suggestions])


def of_id(repo: str, verdict: VerdictView) -> list[ModelView]:
    """The row of one model that was asked for by its id."""
    row = ModelView(id=repo, page=hub_settings.page_of(repo), facts=verdict.facts, verdict=verdict)
    return _with_state([row])


def _of_found(found: FoundModel) -> ModelView:
    hub = found.hub
    facts = (
        size(hub.weight_bytes) if hub.weight_bytes else "",
        hub.quantization,
        hub.family,
        hub.licence,
        *(_ABLE[one] for one in found.capabilities),
    )
    popularity = f"{hub.downloads:,} downloads in the last month, {hub.likes:,} likes"
    return ModelView(
        id=hub.id,
        page=hub_settings.page_of(hub.id),
        facts=tuple(filter(None, facts)),
        popularity=f"{popularity}, changed on {hub.updated}" if hub.updated else popularity,
        is_gated=hub.is_gated,
    )


def _of_suggestion(one: Suggestion) -> ModelView:
    model = one.model
    facts = (
        f"about {size(model.download_bytes)} to download",
        "4bit",
        model.family,
        f"{model.context_length:,} tokens of context",
        model.licence,
        *(_ABLE[able] for able in model.capabilities),
    )
    return ModelView(
        id=model.id,
        page=hub_settings.page_of(model.id),
        facts=facts,
        remark=model.remark,
        verdict=_of_verdict(one.verdict),
    )


def _of_verdict(verdict: Verdict) -> VerdictView:
    return VerdictView(text=verdict.text, tone=_TONES[verdict.outcome])


def _with_state(rows: list[ModelView]) -> list[ModelView]:
    """The rows with what is here of their models; looks at the disk."""
    downloads = {one.id: DownloadView.of(one) for one in runtime.downloads().all()}
    return [_here(row, downloads.get(row.id)) for row in rows]


def _problem(card: ModelCard) -> str:
    if card.is_servable:
        return ""
    return f"cannot be served: {card.problem}" if card.is_enabled else "is disabled"


def _here(row: ModelView, download: DownloadView | None) -> ModelView:
    if card := runtime.catalog().exact(row.id):
        return replace(row, kind=card.kind, problem=_problem(card))
    if download is None:
        return row
    return replace(row, download=download.state, progress=download.text, percent=download.percent)
