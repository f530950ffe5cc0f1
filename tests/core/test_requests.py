"""Requests as they are stored: the stored name of a kind stays valid."""

import typing

from inference.core.requests import (
    PICTURE,
    ChatRequest,
    CompletionRequest,
    DetokenizeRequest,
    EmbeddingRequest,
    Message,
    Picture,
    Request,
    RerankRequest,
    TokenizeRequest,
    joined,
)
from tests.each import each

CHAT = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))
RED = Picture(data=b"red", media_type="image/png", width=1, height=1)
BLUE = Picture(data=b"blue", media_type="image/png", width=1, height=1)
STORED: list[tuple[Request, str]] = [
    (CHAT, "chat"),
    (CompletionRequest(model="tiny", prompts=("Once",)), "completion"),
    (TokenizeRequest(of=CHAT), "tokenize"),
    (DetokenizeRequest(model="tiny", tokens=(1,)), "detokenize"),
    (EmbeddingRequest(model="tiny", inputs=("Hi",)), "embedding"),
    (RerankRequest(model="tiny", query="Why?", documents=("so",)), "rerank"),
]


@each(("request_", "kind"), STORED)
def test_its_stored_kind_is_what_earlier_versions_wrote(request_: Request, kind: str) -> None:
    assert request_.kind == kind


def test_every_request_has_a_stored_kind() -> None:
    assert {type(request) for request, _ in STORED} == set(typing.get_args(Request))


def test_another_name_of_the_class_is_the_same_kind() -> None:
    class Conversation(ChatRequest, frozen=True, kw_only=True, tag="conversation"):
        """A class that was renamed, or made more special."""

    assert Conversation(model="tiny", messages=CHAT.messages).kind == "chat"


def test_joined_messages_keep_their_pictures_in_the_order_of_their_places() -> None:
    first = Message(role="user", content=f"{PICTURE}this", pictures=(RED,))
    second = Message(role="user", content=f"or {PICTURE}", pictures=(BLUE,))
    both = joined(first, second)
    assert both.content == f"{PICTURE}this\n\nor {PICTURE}"
    assert both.pictures == (RED, BLUE)


def test_a_message_without_text_adds_no_empty_lines() -> None:
    said = Message(role="user", content="Hi")
    assert joined(Message(role="user", content=""), said).content == "Hi"
    assert joined(said, Message(role="user", content="")).content == "Hi"
