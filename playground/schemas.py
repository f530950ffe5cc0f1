"""The bodies that the page may send."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    InstanceOf,
    StringConstraints,
    model_validator,
)

from inference.api.http.strict_schema import wrong
from inference.api.openai.schemas import Strict
from inference.core.requests import Picture
from playground.file_text.limits import MAX_FILES
from playground.models import LONGEST_FOLDER, LONGEST_MODEL, LONGEST_PROMPT_NAME, LONGEST_TITLE

MOST_IMPORTED = 10_000  # messages of one chat
Text = Annotated[str, Field(max_length=1_000_000)]
Settings = Annotated[dict[Annotated[str, Field(max_length=40)], Text], Field(max_length=40)]
Folder = Annotated[str, Field(max_length=LONGEST_FOLDER)]
UUID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Timezone = Annotated[str, Field(max_length=64)]  # the visitor's, for the variables of the system prompt
DefaultTexts = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=200_000)]],
    Field(max_length=40),
]
PromptName = Annotated[
    str,
    BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value),
    Field(min_length=1, max_length=LONGEST_PROMPT_NAME),
]
PromptText = Annotated[str, Field(min_length=1, max_length=100_000)]
FileId = Annotated[str, Field(pattern=UUID_PATTERN)]
ModelIds = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_MODEL)]], Field(max_length=1000)
]
Title = Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE)]


FolderName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_FOLDER)]


class AskBody(Strict):
    """A question, or the request for an alternative answer to one."""

    conversation: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    new_id: Annotated[str, Field(pattern=UUID_PATTERN)] | None = None  # sent twice, one is made
    at_end: bool = False  # as far as the page knows, nothing follows `parent`
    parent: int | None = None  # the message it follows; without content, the question to be answered again
    content: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = None
    attachments: Annotated[list[FileId], Field(max_length=MAX_FILES)] = []
    results: Annotated[dict[str, Text], Field(max_length=128)] = {}
    settings: Settings = {}
    timezone: Timezone = ""
    models: Annotated[list[Annotated[str, Field(max_length=256)]], Field(max_length=4)] = []  # to be compared
    question: dict[str, Any]  # a body of /v1/chat/completions without its messages; chat_request.py checks it


class ChangeBody(Strict):
    """The fields of a conversation to be changed."""

    title: Title | None = None
    folder: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_FOLDER)] | None = None
    is_pinned: bool | None = None
    tip: int | None = None


class EditBody(Strict):
    """The new text of an answer; `original`, which an edit or a continuation returned, undoes that."""

    content: Annotated[str, Field(min_length=1, max_length=1_000_000)] | None = None
    original: int | None = None

    @model_validator(mode="after")
    def _check_alternatives(self) -> Self:
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
    timezone: Timezone = ""


class FolderBody(Strict):
    """A folder by its name, and the new name that it gets."""

    name: FolderName
    new_name: FolderName | None = None


class UploadBody(Strict):
    """A file that will be sent in parts."""

    size: Annotated[int, Field(ge=1)]


class ImportedCall(Strict):
    """One tool call of an imported answer, as models.py stores it, with its result once there is one."""

    id: Annotated[str, Field(min_length=1, max_length=256)]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    arguments: Text
    result: Text = ""


class ImportedAttachment(Strict):
    """A file of an imported question: its text, or by its id one of the chat's pictures."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    text: Text = ""
    size: Annotated[int, Field(ge=0)] = 0
    id: str = ""
    media_type: str = ""
    width: int = 0
    height: int = 0

    @model_validator(mode="after")
    def _check_alternatives(self) -> Self:
        if "text" not in self.model_fields_set and not (self.id and self.media_type):
            raise wrong("missing", "Field required", "text")
        return self


class MessageBody(Strict):
    """One message of an import."""

    id: int
    parent: int | None
    role: Literal["user", "assistant"]
    content: Text = ""
    reasoning: Text = ""
    calls: list[ImportedCall] = []
    model: Annotated[str, Field(max_length=500)] = ""
    status: Literal["done", "stopped", "failed"] = "done"
    error: Text = ""
    attachments: Annotated[list[ImportedAttachment], Field(max_length=100)] = []
    figures: dict[str, Any] | None = None
    made: dict[str, Any] | None = None
    edited_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    tokens: list[Any] = []
    at: str = ""


class DefaultsBody(Strict):
    """The settings that new chats begin with."""

    settings: DefaultTexts


class FavouritesBody(Strict):
    """The models that become favourites, and those that are no longer."""

    add: ModelIds = []
    remove: ModelIds = []


class PromptBody(Strict):
    """A system prompt to be saved."""

    name: PromptName
    text: PromptText


class PromptChangeBody(Strict):
    """The fields of a saved prompt to be changed."""

    name: PromptName | None = None
    text: PromptText | None = None


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
    messages: Annotated[list[MessageBody], Field(max_length=MOST_IMPORTED)]
    pictures: dict[str, InstanceOf[Picture]] = {}  # by their ids
