"""Words in the place of pictures."""

from inference.core.picture_placeholders import described, without_pictures
from inference.core.requests import PICTURE, ChatRequest, CompletionRequest, Message, Picture, TokenizeRequest

PHOTO = Picture(data=bytes(214_000), media_type="image/jpeg", width=1200, height=800)
ICON = Picture(data=b"x", media_type="image/png", width=16, height=16)
ASKED = Message(role="user", content=f"{PICTURE}Is this like {PICTURE}?", pictures=(PHOTO, ICON))


def test_each_picture_is_named_at_its_place() -> None:
    words = described(ASKED)
    assert words.content == "[image/jpeg, 1200 × 800, 214 kB]Is this like [image/png, 16 × 16, 1 kB]?"
    assert words.pictures == ()


def test_a_request_keeps_all_but_its_pictures() -> None:
    chat = ChatRequest(model="m", messages=(ASKED,), max_tokens=7)
    (message,) = without_pictures(chat).messages
    assert message == described(ASKED)
    assert without_pictures(TokenizeRequest(of=chat)).of == without_pictures(chat)


def test_a_request_without_pictures_is_the_same() -> None:
    text = ChatRequest(model="m", messages=(Message(role="user", content="Hi"),))
    assert without_pictures(text) is text
    completion = CompletionRequest(model="m", prompts=("Hi",))
    assert without_pictures(completion) is completion
