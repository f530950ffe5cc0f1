"""The bodies that the page may send."""

from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from inference.api.http.strict_schema import wrong
from inference.api.openai.schemas import Strict
from playground.models import LONGEST_FOLDER, LONGEST_TITLE

Text = Annotated[str, Field(max_length=1_000_000)]
Settings = Annotated[dict[Annotated[str, Field(max_length=40)], Text], Field(max_length=40)]
Folder = Annotated[str, Field(max_length=LONGEST_FOLDER)]
UUID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Title = Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)]


class AskBody(Strict):
    """A question, or the request for an alternative answer to one."""

    conversation: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    new_id: Annotated[str, Field(pattern=UUID_PATTERN)] | None = None  # sent twice, one is made
    at_end: bool = False  # as far as the page knows, nothing follows `parent`
    parent: int | None = None  # the message it follows; without content, the question to be answered again
    content: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = None
    results: Annotated[dict[str, Text], Field(max_length=128)] = {}
    settings: Settings = {}
    models: Annotated[list[Annotated[str, Field(max_length=256)]], Field(max_length=4)] = []  # to be compared
    question: dict[str, Any]  # a body of /v1/chat/completions without its messages; chat_request.py checks it


class ChangeBody(Strict):
    """The fields of a conversation to be changed."""

    title: Title | None = None
    folder: Folder | None = None
    is_pinned: bool | None = None
    tip: int | None = None


class EditBody(Strict):
    """The new text of an answer; `original`, the message that has the text from before an edit, undoes it."""

    content: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = None
    original: int | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.content is None) == (self.original is None):
            raise wrong(
                "one_of_two", "Send the new text, or the message with the text from before", "content"
            )
        return self


class RestoreBody(Strict):
    """The end of the branch that is to be shown after a deletion is undone."""

    tip: int | None = None


class ContinueBody(Strict):
    """What the page would send with a question: for its length limit, or all of it for an imported answer."""

    question: dict[str, Any]


class CallBody(Strict):
    """One tool call of an imported answer, as models.py stores it, with its result once there is one."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    arguments: Text
    result: Text = ""


class MessageBody(Strict):
    """One message of an import."""

    id: int
    parent: int | None
    role: Literal["user", "assistant"]
    content: Text = ""
    reasoning: Text = ""
    calls: list[CallBody] = []
    model: Annotated[str, Field(max_length=500)] = ""
    status: Literal["done", "stopped", "failed"] = "done"
    error: Text = ""
    figures: dict[str, Any] | None = None
    made: dict[str, Any] | None = None
    edited_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    tokens: list[Any] = []
    at: str = ""


class ImportBody(Strict):
    """A conversation as export.py writes it."""

    format: Literal["mlxsite-conversation-1"]
    title: Annotated[str, Field(max_length=LONGEST_TITLE)] = ""
    folder: Folder = ""
    settings: Settings = {}
    tip: int | None = None
    messages: Annotated[list[MessageBody], Field(max_length=10_000)]
