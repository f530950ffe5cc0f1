"""Whether a model can answer a question with pictures, found out before the question is stored."""

from uuid import UUID

from inference.core.errors import InvalidValue, ServerError
from inference.core.picture_header import UNREADABLE
from inference.core.requests import PICTURE, ChatRequest, Message, Picture
from inference.serving import picture_check
from inference.storage.database_threads import in_database
from playground.branch import branch_to
from playground.chat_request import read_of
from playground.kept_pictures import pictures_in
from playground.models import Message as StoredMessage
from playground.models import StoredPicture
from playground.schemas import AskBody
from playground.store import ConversationStore
from playground.visitor import Visitor

_OF_APIS = f"{UNREADABLE}: "  # for programs, which know these words
_ANY = Picture(data=b"", media_type="image/png", width=1, height=1)


async def check(visitor: Visitor, body: AskBody, names: list[str]) -> None:
    """Raise InvalidValue where none of these models can take the pictures that it would read.

    Of several that are compared, those that cannot say so in their own columns.
    """
    count = await in_database(lambda: _count(visitor.store, body))
    if not count:
        return
    problem: ServerError | None = None
    for name in names:
        message = Message(role="user", content=PICTURE * count, pictures=(_ANY,) * count)
        try:
            await picture_check.checked(ChatRequest(model=name, messages=(message,)), visitor.principal)
        except ServerError as error:
            text = error.message.removeprefix(_OF_APIS)
            problem = InvalidValue(text[:1].upper() + text[1:], param="attachments")
        else:
            return
    if problem:
        raise problem


def _count(store: ConversationStore, body: AskBody) -> int:
    """The pictures that a model reads with this question, also those of earlier ones."""
    added = StoredPicture.objects.filter(pk__in=body.attachments).count() if body.content else 0
    pk = UUID(body.conversation) if body.conversation else None
    if pk is None or not StoredPicture.objects.filter(conversation=pk).exists():
        return added
    branch = branch_to(store.get(pk), body.parent)
    if body.content:
        branch.append(StoredMessage(role="user", content=body.content))
    return added + sum(len(pictures_in(message.attachments)) for message in read_of(branch))
