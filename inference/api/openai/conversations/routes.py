"""The addresses of conversations and of their items.

https://platform.openai.com/docs/api-reference/conversations
"""

import secrets
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from ninja import Router

from inference.accounts.storage_quota import STORAGE
from inference.api.http import answer_headers, strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.openai.responses import input_items, queries
from inference.api.openai.responses.conversation_locks import LOCKS
from inference.api.openai.schemas.conversations import ConversationBody, ConversationUpdate, ItemsBody
from inference.storage.conversation_store import ConversationRecord, Conversations
from inference.storage.database_threads import in_database
from inference.storage.item_references import find_items

router = Router()


@router.post("/conversations")
async def create_conversation(request: AuthenticatedRequest) -> HttpResponse:
    """Begin a conversation, with items or without."""
    body = await strict_json.read(request, ConversationBody) if request.body else ConversationBody()
    items = await _kept(request, body.items or [])
    conversation_id = f"conv_{secrets.token_hex(24)}"
    metadata = body.metadata or {}
    await in_database(lambda: STORAGE.check(request.auth.account, len(request.body)))
    made = await in_database(lambda: _of(request).create(conversation_id, metadata, items))
    return json_answer(_shown(made))


@router.get("/conversations/{conversation_id}")
async def get_conversation(request: AuthenticatedRequest, conversation_id: str) -> HttpResponse:
    """Show a conversation, without its items."""
    queries.check(request)
    return json_answer(_shown(await in_database(lambda: _of(request).find(conversation_id))))


@router.post("/conversations/{conversation_id}")
async def update_conversation(request: AuthenticatedRequest, conversation_id: str) -> HttpResponse:
    """Replace the metadata of a conversation."""
    body = await strict_json.read(request, ConversationUpdate)
    metadata = body.metadata or {}
    return json_answer(_shown(await in_database(lambda: _of(request).update(conversation_id, metadata))))


@router.delete("/conversations/{conversation_id}")
async def delete_conversation(request: AuthenticatedRequest, conversation_id: str) -> HttpResponse:
    """Delete a conversation; responses that were made in it are kept."""
    await LOCKS.check(request.auth.owner, conversation_id)
    await in_database(lambda: _of(request).delete(conversation_id))
    return json_answer({"id": conversation_id, "object": "conversation.deleted", "deleted": True})


@router.get("/conversations/{conversation_id}/items")
async def list_items(request: AuthenticatedRequest, conversation_id: str) -> HttpResponse:
    """List the items of a conversation, the newest first unless `order=asc`."""
    found = await in_database(lambda: _of(request).items(conversation_id))
    return json_answer(queries.page(found, request))


@router.post("/conversations/{conversation_id}/items")
async def create_items(request: AuthenticatedRequest, conversation_id: str) -> HttpResponse:
    """Add items to the end of a conversation."""
    queries.check(request, *queries.INCLUDE)
    body = await strict_json.read(request, ItemsBody)
    await LOCKS.check(request.auth.owner, conversation_id)
    items = await _kept(request, body.items)
    await in_database(lambda: STORAGE.check(request.auth.account, len(request.body)))
    await in_database(lambda: _of(request).add(conversation_id, items))
    return json_answer(queries.listed(items, has_more=False))


@router.get("/conversations/{conversation_id}/items/{item_id}")
async def get_item(request: AuthenticatedRequest, conversation_id: str, item_id: str) -> HttpResponse:
    """Show one item of a conversation."""
    queries.check(request, *queries.INCLUDE)
    return json_answer(await in_database(lambda: _of(request).item(conversation_id, item_id)))


@router.delete("/conversations/{conversation_id}/items/{item_id}")
async def delete_item(request: AuthenticatedRequest, conversation_id: str, item_id: str) -> HttpResponse:
    """Delete one item of a conversation."""
    await LOCKS.check(request.auth.owner, conversation_id)
    return json_answer(_shown(await in_database(lambda: _of(request).remove(conversation_id, item_id))))


async def _kept(request: AuthenticatedRequest, items: Sequence[Any]) -> list[dict[str, Any]]:
    """The items as they are stored; raises NotFound for a reference to none."""
    answer_headers.list_in(request, answer_headers.OMITTED, input_items.omitted_of(items, "items"))
    wanted = input_items.references(items)
    found = await in_database(lambda: find_items(request.auth.owner, wanted)) if wanted else {}
    list(input_items.resolved(items, found, "items"))
    return input_items.kept(items, found)


def _of(request: AuthenticatedRequest) -> Conversations:
    return Conversations(request.auth.owner)


def _shown(found: ConversationRecord) -> dict[str, Any]:
    return {
        "id": found.id,
        "object": "conversation",
        "created_at": found.created_at,
        "metadata": found.metadata,
    }
