"""The playground's JSON API of the list beside a conversation: search, folders, and what was deleted."""

import asyncio
from uuid import UUID

from django.http import HttpResponse

from inference.api.http import strict_json
from inference.api.http.json_answer import json_answer
from inference.core.errors import InvalidValue
from inference.core.whole_number import whole_number
from inference.storage.database_threads import in_database
from playground import changes
from playground.deleted_conversations import DeletedConversations
from playground.folder_store import FolderStore
from playground.schemas import FolderBody
from playground.visitor import Visitor, for_visitors

_LONGEST_QUERY = 200
_purging: set[asyncio.Task[None]] = set()


@for_visitors("GET")
async def list_conversations(visitor: Visitor) -> HttpResponse:
    """A page of the visitor's conversations, from the offset `after` on.

    `words` searches in them. `folder` lists one folder. `unfiled` lists those that are pinned or in no
    folder; its first page has the folders too.
    """
    parameters, store = visitor.request.GET, visitor.store
    query, offset = parameters.get("words", "")[:_LONGEST_QUERY], _offset(visitor)
    if query.strip():
        return json_answer(await in_database(lambda: store.page(query=query, offset=offset)))
    if folder := parameters.get("folder"):
        return json_answer(await in_database(lambda: store.page(folder=folder, offset=offset)))
    if "unfiled" in parameters:
        return json_answer(await in_database(lambda: store.sidebar(offset)))
    return json_answer(await in_database(lambda: store.page(offset=offset)))


@for_visitors("POST", "PATCH", "DELETE")
async def folders(visitor: Visitor) -> HttpResponse:
    """Make, rename or remove a folder; conversations of a removed one stay."""
    body = await strict_json.read(visitor.request, FolderBody)
    store = FolderStore(visitor.user)
    if visitor.request.method == "POST":
        await in_database(lambda: store.create(body.name))
    elif visitor.request.method == "DELETE":
        await in_database(lambda: store.delete(body.name))
    elif new_name := body.new_name:
        await in_database(lambda: store.rename(body.name, new_name))
    else:
        raise InvalidValue("It is missing.", param="new_name")
    visitor.publish(changes.LISTED)
    return json_answer({})


@for_visitors("POST")
async def restore(visitor: Visitor, pk: UUID) -> HttpResponse:
    """Undo the deletion of a conversation."""
    listed = await in_database(lambda: visitor.store.restore(pk))
    visitor.publish(changes.messages(pk))
    return json_answer(listed)


@for_visitors("GET", "DELETE")
async def deleted(visitor: Visitor) -> HttpResponse:
    """A page of the deleted conversations, or the end of all of them."""
    conversations = DeletedConversations(visitor.user)
    if visitor.request.method == "GET":
        offset = _offset(visitor)
        return json_answer(await in_database(lambda: conversations.page(offset)))
    await in_database(conversations.expire)
    _purge(conversations)
    return json_answer({})


@for_visitors("DELETE")
async def delete_for_good(visitor: Visitor, pk: UUID) -> HttpResponse:
    """The end of one deleted conversation."""
    conversations = DeletedConversations(visitor.user)
    await in_database(lambda: conversations.expire(pk))
    _purge(conversations)
    return json_answer({})


def _offset(visitor: Visitor) -> int:
    after = whole_number(visitor.request.GET.get("after", "0"))
    if after is None:
        raise InvalidValue("It must be a number of 0 or more.", param="after")
    return after


def _purge(conversations: DeletedConversations) -> None:
    """Remove their rows behind the response: nobody can reach them any more, and it may take a while."""
    task = asyncio.create_task(in_database(conversations.purge))
    _purging.add(task)
    task.add_done_callback(_purging.discard)
