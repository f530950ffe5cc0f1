"""A trial of a model that sees: six drawn pictures, and the words that its answers should have.

What a test with random weights cannot show: whether a downloaded model sees what is there.
"""

import asyncio
import re
import subprocess
import sys
from contextlib import aclosing

import msgspec
from django.conf import settings
from msgspec import Struct

from inference.core import picture_header
from inference.core.config import BASE_DIR
from inference.core.errors import ServerError
from inference.core.events import Finished, TextDelta
from inference.core.installation import PROGRAM
from inference.core.model_card import ModelCard
from inference.core.principal import ANYBODY
from inference.core.requests import PICTURE, ChatRequest, Message, Sampling
from inference.serving import generation, picture_check, runtime
from inference.serving.health.finding import CheckResult, State

_ANSWER_TOKENS = 1024  # a model that thinks first needs some
_ANSWER_TIMEOUT_S = 300.0  # for one picture, after the timeout of the load
_SHOWN = 80  # characters of a wrong answer
_NONE = f"`{PROGRAM} pull OWNER/NAME` downloads one; `{PROGRAM} models` shows which are vision models."
_EXTRA = "Install the missing packages: pip install 'mlxsite[vision]'"
_MISSED = "Small models make mistakes. If most answers are wrong, report it with the name of the model."


class DrawnPicture(Struct, frozen=True):
    """A picture, a question about it, and the words of which a right answer has one."""

    about: str
    question: str
    words: tuple[str, ...]
    picture: bytes  # PNG


def vision_trial(model_id: str = "") -> list[CheckResult]:
    """Ask a model about each picture: the smallest that sees, or the given one."""
    cards = [card for card in runtime.catalog().scan() if card.is_servable and card.sees]
    if model_id:
        cards = [card for card in cards if model_id in (card.id, *card.aliases)]
    if not cards:
        named = f"{model_id} is not a vision model." if model_id else "There is no vision model."
        return [CheckResult(about="vision", text=named, state="look", advice=_NONE)]
    card = min(cards, key=lambda card: card.resident_bytes)
    if not picture_check.is_installed():
        text = f"{card.id} sees, but mlx-vlm or Pillow is not installed."
        return [CheckResult(about="vision", text=text, state="look", advice=_EXTRA)]
    return asyncio.run(_tried(card, drawn()))


def drawn() -> list[DrawnPicture]:
    """The pictures; a process of its own draws them, because a site never loads Pillow."""
    command = [sys.executable, "-m", "inference.worker.vision.drawings"]
    printed = subprocess.run(command, cwd=BASE_DIR, capture_output=True, check=True, timeout=60).stdout
    return msgspec.json.decode(printed, type=list[DrawnPicture])


async def _tried(card: ModelCard, pictures: list[DrawnPicture]) -> list[CheckResult]:
    results: list[CheckResult] = []
    timeout_s = settings.CONFIG.load_timeout_s + _ANSWER_TIMEOUT_S
    try:
        for picture in pictures:
            try:
                async with asyncio.timeout(timeout_s):
                    answer = await _answer(card, picture)
            except TimeoutError:
                return [*results, _failed(card, "did not answer in time")]
            except ServerError as error:
                return [*results, _failed(card, f"did not answer: {error.message}")]
            results.append(result_of(picture, answer))
    finally:
        await runtime.pool().close()
    right = sum(result.state == "good" for result in results)
    text = f"{card.id} saw {right} of {len(results)} pictures correctly"
    state: State = "good" if right == len(results) else "look" if right else "wrong"
    advice = "" if state == "good" else _MISSED
    return [*results, CheckResult(about="vision", text=text, state=state, advice=advice)]


def result_of(picture: DrawnPicture, answer: str) -> CheckResult:
    """Whether one of the words is in the answer."""
    answered = re.findall(r"\w+", answer.casefold())
    about = f"vision, {picture.about}"
    if any(word in answered for word in picture.words):
        return CheckResult(about=about, text=f"it sees {picture.words[0]}")
    shown = " ".join(answer.split())[:_SHOWN] or "nothing"
    text = f"it should see {picture.words[0]}, and says: {shown}"
    return CheckResult(about=about, text=text, state="look")


async def _answer(card: ModelCard, picture: DrawnPicture) -> str:
    answered, is_finished = "", False
    async with aclosing(generation.stream(request_of(card, picture), ANYBODY)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                answered += event.text
            is_finished = is_finished or isinstance(event, Finished)
    return answered if is_finished else ""


def request_of(card: ModelCard, picture: DrawnPicture) -> ChatRequest:
    """The question about a picture, answered greedily."""
    shown = picture_header.picture_of(picture.picture)
    return ChatRequest(
        model=card.id,
        messages=(Message(role="user", content=f"{PICTURE}{picture.question}", pictures=(shown,)),),
        max_tokens=min(_ANSWER_TOKENS, max(1, card.context_length // 4)),
        sampling=Sampling(temperature=0),
    )


def _failed(card: ModelCard, what: str) -> CheckResult:
    advice = "The output of its worker above may say why."
    return CheckResult(about="vision", text=f"{card.id} {what}", state="wrong", advice=advice)
