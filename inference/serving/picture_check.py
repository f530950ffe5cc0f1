"""Pictures of a request before it is queued: whether its model sees, and how many there may be."""

import importlib.util
from collections.abc import Iterable

from django.conf import settings
from msgspec import structs

from inference.core.errors import InvalidValue, UnsupportedField
from inference.core.model_card import ModelCard
from inference.core.picture_header import UNREADABLE
from inference.core.pool_state import ResidentModel
from inference.core.principal import Principal
from inference.core.requests import PICTURE, ChatRequest, Message, Picture, Request, TokenizeRequest
from inference.core.threads import CATALOG
from inference.serving import picture_fetch, runtime, visible_models

_PACKAGES = ("PIL", "mlx_vlm")  # of the extra `vision`
_MOST_NAMED = 3


async def checked(request: Request, principal: Principal) -> Request:
    """The request, whose model sees if it has pictures.

    Pictures that are elsewhere are fetched. Raises InvalidValue for a model that reads text only, for too
    many pictures and for one that cannot be fetched, UnsupportedField where what a seeing model needs is not
    installed. Each names the content with the first picture.
    """
    if isinstance(request, TokenizeRequest):
        checked_request = await checked(request.of, principal)
        return structs.replace(request, of=checked_request)
    if not isinstance(request, ChatRequest):
        return request
    request = _without_stray_marks(request)
    places = [place for place, message in enumerate(request.messages) if message.pictures]
    if places:
        await _check(request, principal, f"messages.{places[0]}.content")
        _check_count(request.messages, f"messages.{places[-1]}.content")
        request = await picture_fetch.from_settings().fetched(request)
    return request


def takes_pictures(card: ModelCard, resident: ResidentModel) -> bool:
    """Whether requests to this model may have pictures: as its worker says, once it is loaded."""
    if card.is_remote:
        return card.sees
    return resident.loaded.sees if resident.loaded else card.sees and is_installed()


def is_installed() -> bool:
    """Whether the packages are here with which workers look at pictures; none is imported."""
    return all(map(importlib.util.find_spec, _PACKAGES))


def tokens_of(pictures: Iterable[Picture], card: ModelCard | None) -> int:
    """A cautious estimate of the tokens that these pictures become, until the worker has counted."""
    return sum(_tokens_of(picture, card) for picture in pictures) if card else 0


def _tokens_of(picture: Picture, card: ModelCard) -> int:
    most = card.picture_tokens
    if not card.picture_token_pixels:
        return most
    rows, columns = (edge // card.picture_token_pixels + 1 for edge in (picture.height, picture.width))
    return min(most, rows * (columns + 1))


def _without_stray_marks(request: ChatRequest) -> ChatRequest:
    """The request without marks of pictures in texts that have none: any text may be a client's."""
    if not any(PICTURE in one.content and not one.pictures for one in request.messages):
        return request
    messages = (
        one if one.pictures else structs.replace(one, content=one.content.replace(PICTURE, ""))
        for one in request.messages
    )
    return structs.replace(request, messages=tuple(messages))


async def _check(request: ChatRequest, principal: Principal, param: str) -> None:
    card = runtime.catalog().known(request.model)
    card = card or await CATALOG.run(runtime.catalog().find, request.model)
    if card is None:  # it is refused as for any other request
        return
    if not card.sees:
        others = await CATALOG.run(_seeing, principal)
        raise InvalidValue(
            f"{UNREADABLE}: the model {request.model[:256]!r} reads text only; {_advice(others)}",
            param=param,
        )
    if not (card.is_remote or is_installed()):
        raise UnsupportedField(
            f"{UNREADABLE}: the model {request.model[:256]!r} sees, but what it needs for that is not "
            "installed on the server; its operator can run: pip install 'mlxsite[vision]'",
            param=param,
        )


def _seeing(principal: Principal) -> list[str]:
    """The ids of models that see which the caller may use."""
    cards = visible_models.requestable_by(principal, runtime.catalog().scan())
    return [card.id for card in cards if card.sees and not card.base]


def _advice(seeing: list[str]) -> str:
    if not seeing:
        return "no model here sees pictures."
    *others, last = map(repr, seeing[:_MOST_NAMED])
    named = f"{', '.join(others)} and {last} see" if others else f"{last} sees"
    return f"{named} pictures."


def _check_count(messages: Iterable[Message], param: str) -> None:
    count, most = sum(len(message.pictures) for message in messages), settings.CONFIG.picture_count
    if count > most:
        raise InvalidValue(
            f"{UNREADABLE}: the conversation has {count} pictures, and may have {most} "
            "(MLX_SERVER_PICTURE_COUNT); leave the oldest out.",
            param=param,
        )
