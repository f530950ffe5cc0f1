"""Requests as they are stored: the stored name of a kind stays valid."""

import typing

import pytest

from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    DetokenizeRequest,
    EmbeddingRequest,
    Message,
    Request,
    RerankRequest,
    TokenizeRequest,
)

CHAT = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))
STORED: list[tuple[Request, str]] = [
    (CHAT, "chat"),
    (CompletionRequest(model="tiny", prompts=("Once",)), "completion"),
    (TokenizeRequest(of=CHAT), "tokenize"),
    (DetokenizeRequest(model="tiny", tokens=(1,)), "detokenize"),
    (EmbeddingRequest(model="tiny", inputs=("Hi",)), "embedding"),
    (RerankRequest(model="tiny", query="Why?", documents=("so",)), "rerank"),
]


@pytest.mark.parametrize(("request_", "kind"), STORED)
def test_its_stored_kind_is_what_earlier_versions_wrote(request_: Request, kind: str) -> None:
    assert request_.kind == kind


def test_every_request_has_a_stored_kind() -> None:
    assert {type(request) for request, _ in STORED} == set(typing.get_args(Request))


def test_another_name_of_the_class_is_the_same_kind() -> None:
    class Conversation(ChatRequest, frozen=True, kw_only=True, tag="conversation"):
        """A class that was renamed, or made more special."""

    assert Conversation(model="tiny", messages=CHAT.messages).kind == "chat"
