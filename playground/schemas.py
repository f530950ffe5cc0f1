"""The bodies that the page may send."""

from typing import Annotated, Any, Literal

from pydantic import Field

from inference.api.openai.schemas import Strict
from playground.file_text.limits import MAX_FILES
from playground.models import LONGEST_FOLDER, LONGEST_TITLE

Text = Annotated[str, Field(max_length=1_000_000)]
Settings = Annotated[dict[Annotated[str, Field(max_length=40)], Text], Field(max_length=40)]
Folder = Annotated[str, Field(max_length=LONGEST_FOLDER)]
FileId = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
Title = Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)]


class AskBody(Strict):
    """A question, or the request for an alternative answer to one."""

    conversation: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    parent: int | None = None  # the message it follows; without content, the question to be answered again
    content: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = None
    attachments: Annotated[list[FileId], Field(max_length=MAX_FILES)] = []
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


class UploadBody(Strict):
    """A file that will be sent in parts."""

    size: Annotated[int, Field(ge=1)]


class CallBody(Strict):
    """One tool call of an imported answer, as models.py stores it, with its result once there is one."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    arguments: Text
    result: Text = ""


class ImportedAttachment(Strict):
    """A file of an imported question, with its text."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    text: Text
    size: Annotated[int, Field(ge=0)] = 0
    id: str = ""


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
    attachments: Annotated[list[ImportedAttachment], Field(max_length=100)] = []
    figures: dict[str, Any] | None = None
    made: dict[str, Any] | None = None
    tokens: list[Any] = []
    at: str = ""


class ImportBody(Strict):
    """A conversation as export.py writes it."""

    format: Literal["mlxsite-conversation-1"]
    title: Annotated[str, Field(max_length=LONGEST_TITLE)] = ""
    folder: Folder = ""
    id: Annotated[str, Field(max_length=36)] = ""
    is_pinned: bool = False
    created_at: str = ""
    changed_at: str = ""
    settings: Settings = {}
    tip: int | None = None
    messages: Annotated[list[MessageBody], Field(max_length=10_000)]
