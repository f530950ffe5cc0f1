"""What the page may send."""

from typing import Annotated, Any, Literal

from pydantic import Field

from inference.api.openai.schemas import Strict
from playground.models import LONGEST_FOLDER, LONGEST_TITLE

Words = Annotated[str, Field(max_length=1_000_000)]
Settings = Annotated[dict[Annotated[str, Field(max_length=40)], Words], Field(max_length=40)]
Label = Annotated[str, Field(max_length=LONGEST_FOLDER)]
Title = Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)]


class AskBody(Strict):
    """A question, or the wish for another take of an answer."""

    conversation: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    parent: int | None = None  # what it is said after; with no content, the question to be answered again
    content: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = None
    results: Annotated[dict[str, Words], Field(max_length=128)] = {}
    settings: Settings = {}
    models: Annotated[list[Annotated[str, Field(max_length=256)]], Field(max_length=4)] = []  # to be compared
    question: dict[str, Any]  # a body of /v1/chat/completions, less its messages


class ChangeBody(Strict):
    """What is to be changed of a conversation."""

    title: Title | None = None
    folder: Label | None = None
    is_pinned: bool | None = None
    tip: int | None = None


class MessageBody(Strict):
    id: int
    parent: int | None
    role: Literal["user", "assistant"]
    content: Words = ""
    reasoning: Words = ""
    calls: list[dict[str, str]] = []
    model: Annotated[str, Field(max_length=500)] = ""
    status: Literal["done", "stopped", "failed"] = "done"
    error: Words = ""
    figures: dict[str, Any] | None = None
    made: dict[str, Any] | None = None
    tokens: list[Any] = []
    at: str = ""


class ImportBody(Strict):
    """A conversation as `export` gives it."""

    format: Literal["mlxsite-conversation-1"]
    title: Annotated[str, Field(max_length=LONGEST_TITLE)] = ""
    folder: Label = ""
    settings: Settings = {}
    tip: int | None = None
    messages: Annotated[list[MessageBody], Field(max_length=10_000)]
