"""What a request needs before its prompt is prepared: its adapter, then its pictures."""

import queue
from collections.abc import Callable
from typing import Any

import pytest

from inference.core.errors import ModelLoadFailed, ServerError, UnsupportedField
from inference.core.protocol import Submit
from inference.core.requests import PICTURE, ChatRequest, Lora, Message, TokenizeRequest
from inference.worker.prerequisites import Prerequisites
from tests.tiny_vision import drawn, picture
from tests.worker.vision.test_picture_threads import Family

pytestmark = pytest.mark.mlx
LORA = Lora(name="style", path="", version="1")
SHOWN = Message(role="user", content=PICTURE, pictures=(picture(drawn(20, 10)),))
SAID = Message(role="user", content="hi")


class Loras:
    """One adapter that the test loads when it likes."""

    def __init__(self) -> None:
        self.then: Callable[[str], None] | None = None

    def is_ready(self, lora: Lora, then: Callable[[str], None]) -> bool:
        self.then = then
        return False


class Needs:
    def __init__(self, family: Family | None = None, blindness: str = "") -> None:
        self.loras = Loras()
        self.got: queue.Queue[Any] = queue.Queue()
        self._needs = Prerequisites("m", self.loras, family, blindness)  # type: ignore[arg-type]

    def of(self, *messages: Message, lora: Lora | None = None) -> Any:
        request = ChatRequest(model="m", messages=messages, lora=lora)
        return self._needs.of(Submit(id=1, request=request), self.got.put)

    def of_dry_run(self, *messages: Message) -> Any:
        request = TokenizeRequest(of=ChatRequest(model="m", messages=messages))
        return self._needs.of(Submit(id=1, request=request), self.got.put)


def tokens(met: Any) -> list[int]:
    assert not isinstance(met, ServerError), met
    return [one.tokens for one in met]


def test_a_request_that_needs_nothing_waits_for_nothing() -> None:
    assert Needs(Family()).of(SAID) == () == Needs().of(SAID)


def test_pictures_come_with_the_request_that_has_them() -> None:
    needs = Needs(Family())
    assert needs.of(SAID, SHOWN, SHOWN) is None
    assert tokens(needs.got.get(timeout=20)) == [20, 20]
    assert needs.of_dry_run(SHOWN) is None
    assert tokens(needs.got.get(timeout=20)) == [20]


def test_the_adapter_comes_first_and_then_the_pictures() -> None:
    needs = Needs(Family())
    assert needs.of(SHOWN, lora=LORA) is None and needs.got.empty()
    assert needs.loras.then
    needs.loras.then("")
    assert tokens(needs.got.get(timeout=20)) == [20]
    assert needs.of(SAID, lora=LORA) is None
    needs.loras.then("")
    assert tokens(needs.got.get(timeout=20)) == []
    needs.loras.then("its files are gone")
    assert isinstance(needs.got.get(timeout=20), ModelLoadFailed)


def test_a_model_that_sees_nothing_says_why() -> None:
    with pytest.raises(UnsupportedField, match="reads text only") as refused:
        Needs().of(SAID, SHOWN)
    assert refused.value.param == "messages.1.content"
    with pytest.raises(UnsupportedField, match="until it is installed"):
        Needs(blindness="It is blind until it is installed.").of(SHOWN)
