"""Whether a model sees, before a request with pictures waits for it."""

from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from msgspec import structs

from inference.core.config import Config
from inference.core.errors import InvalidValue, ServerError, UnsupportedField
from inference.core.model_card import ModelCard
from inference.core.principal import Principal
from inference.core.requests import PICTURE, ChatRequest, Message, Picture, Request, TokenizeRequest
from inference.serving import generation
from inference.serving.picture_check import tokens_of
from tests import vision_extra
from tests.each import each
from tests.fakes import FakeRunner, card, serving

ME = Principal(kind="local")
SEEING: dict[str, Any] = {"sees": True, "picture_tokens": 400, "picture_token_pixels": 28}
RED = Picture(data=b"red", media_type="image/png", width=280, height=56)


def asked(model: str = "tiny", count: int = 1) -> ChatRequest:
    said = Message(role="system", content="Be brief.")
    shown = Message(role="user", content=PICTURE * count + "What is it?", pictures=(RED,) * count)
    return ChatRequest(model=model, messages=(said, shown))


async def received(request: Request, *cards: ModelCard, principal: Principal = ME) -> Request:
    """What a runner is asked."""
    runners = [FakeRunner(sees=one.sees) for one in cards]
    with serving(*runners, cards=cards):
        async with aclosing(generation.stream(request, principal)) as events:
            async for _ in events:
                pass
    (found,) = [one for runner in runners for one in runner.requests]
    return found


async def messages_of(request: Request, model: ModelCard) -> tuple[Message, ...]:
    found = await received(request, model)
    assert isinstance(found, ChatRequest)
    return found.messages


async def refused(request: Request, *cards: ModelCard, principal: Principal = ME) -> ServerError:
    with pytest.raises(ServerError) as caught:
        await received(request, *cards, principal=principal)
    return caught.value


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    vision_extra.install(monkeypatch, tmp_path)


@pytest.mark.usefixtures("extra")
async def test_a_model_that_sees_gets_the_pictures() -> None:
    assert await received(asked(), card(**SEEING)) == asked()


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        ([], "no model here sees pictures."),
        (["a"], "'a' sees pictures."),
        (["a", "b"], "'a' and 'b' see pictures."),
        (["a", "b", "c", "d"], "'a', 'b' and 'c' see pictures."),
    ],
)
@pytest.mark.parametrize("wrap", [lambda chat: chat, lambda chat: TokenizeRequest(of=chat)])
async def test_a_text_model_names_those_that_see(names: list[str], advice: str, wrap: Any) -> None:
    error = await refused(wrap(asked()), card(), *(card(name, **SEEING) for name in names))
    assert isinstance(error, InvalidValue) and error.param == "messages.1.content"
    assert error.message == f"Could not process image: the model 'tiny' reads text only; {advice}"


@pytest.mark.usefixtures("extra")
async def test_a_picture_that_is_elsewhere_is_fetched_before_the_model_is_asked() -> None:
    there = Picture(data=b"", media_type="", width=0, height=0, url="http://localhost:81/a.png")
    request = ChatRequest(model="tiny", messages=(Message(role="user", content=PICTURE, pictures=(there,)),))
    config = settings.CONFIG.model_copy(update={"picture_hosts": "localhost:81"})
    with override_settings(CONFIG=config):
        error = await refused(request, card(**SEEING))
    assert (error.param, "localhost is in a private network" in error.message) == ("messages.0.content", True)


async def test_a_model_that_the_caller_may_not_use_is_not_named() -> None:
    keyed = structs.replace(ME, models=frozenset({"tiny"}))
    error = await refused(asked(), card(), card("secret", **SEEING), principal=keyed)
    assert "secret" not in error.message


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    vision_extra.uninstall(monkeypatch)
    error = await refused(asked(), card(**SEEING))
    assert isinstance(error, UnsupportedField) and error.param == "messages.1.content"
    assert error.message.endswith("pip install 'mlxsite[vision]'")


@pytest.mark.usefixtures("extra")
async def test_a_conversation_of_too_many_pictures_is_refused(settings: Any) -> None:
    settings.CONFIG = Config(picture_count=2)
    await received(asked(count=2), card(**SEEING))
    error = await refused(asked(count=3), card(**SEEING))
    assert (error.param, error.code) == ("messages.1.content", "invalid_value")
    assert "has 3 pictures, and may have 2 (MLX_SERVER_PICTURE_COUNT)" in error.message


@pytest.mark.usefixtures("extra")
async def test_a_mark_in_a_text_stands_for_no_picture() -> None:
    odd = Message(role="user", content=f"a{PICTURE}b")
    request = structs.replace(asked(), messages=(odd, *asked().messages))
    (first, *others) = await messages_of(request, card(**SEEING))
    assert first.content == "ab" and tuple(others) == asked().messages
    (alone,) = await messages_of(structs.replace(request, messages=(odd,)), card())
    assert alone.content == "ab"


async def test_a_model_that_is_not_here_is_the_error_whatever_it_is_shown() -> None:
    assert (await refused(asked("nobody"), card())).code == "model_not_found"


@each(
    ("changes", "tokens"),
    [
        (SEEING, 3 * 12),  # 56 rows and 280 columns of pixels, and the ends of rows
        ({**SEEING, "picture_tokens": 20}, 20),
        ({**SEEING, "picture_token_pixels": 0}, 400),
    ],
)
def test_an_estimate_of_tokens_follows_the_size(changes: dict[str, Any], tokens: int) -> None:
    assert tokens_of([RED, RED], card(**changes)) == 2 * tokens
    assert tokens_of([RED], None) == 0


@pytest.mark.usefixtures("extra")
async def test_memory_is_reserved_for_the_tokens_of_pictures() -> None:
    seeing = card(**SEEING)
    with serving(FakeRunner(sees=True), cards=[seeing]):
        shown, unseen = asked(), structs.replace(asked(), messages=asked().messages[:1])
        more = generation.prompt_tokens(shown) - generation.prompt_tokens(unseen)
    assert more >= tokens_of([RED], seeing)
