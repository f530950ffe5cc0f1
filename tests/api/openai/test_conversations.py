"""/v1/conversations: what is kept of them, their items, and whose they are."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from inference.core.config import Config
from inference.models import ConversationItem, StoredConversation
from inference.storage import conversation_store
from tests.accounts.making import make_key
from tests.api.openai.asking import error_of
from tests.api.openai.asking import post as ask
from tests.api.openai.open_response_items import check_item
from tests.api.openai.responding import ENDED, SAID, made, telling

pytestmark = pytest.mark.django_db(transaction=True)
USER = {"role": "user", "content": "one"}
TURNS: list[dict[str, Any]] = [
    USER,
    {"role": "assistant", "content": [{"type": "output_text", "text": "two"}]},
    {"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": "noon"},
    {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
]


async def call(method: str, path: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer below /v1/conversations."""
    address = f"/v1/conversations{path}"
    if method == "post":
        response = await ask(address, body)
    else:
        response = await getattr(AsyncClient(), method)(address)
    return response.status_code, json.loads(response.content)


async def begun(**body: Any) -> str:
    status, answer = await call("post", **body)
    assert status == 200, answer
    return str(answer["id"])


async def test_a_conversation_is_made_shown_changed_and_deleted() -> None:
    status, answer = await call("post", metadata={"topic": "demo"}, items=[USER])
    assert status == 200 and answer["id"].startswith("conv_") and isinstance(answer["created_at"], int)
    assert (answer["object"], answer["metadata"]) == ("conversation", {"topic": "demo"})
    address = f"/{answer['id']}"
    assert await call("get", address) == (200, answer)
    (item,) = (await call("get", f"{address}/items"))[1]["data"]
    assert item["content"] == [{"type": "input_text", "text": "one"}]
    changed = await call("post", address, metadata={"other": "one"})
    assert changed == (200, answer | {"metadata": {"other": "one"}})
    assert (await call("post", address, metadata=None))[1]["metadata"] == {}
    gone = {"id": answer["id"], "object": "conversation.deleted", "deleted": True}
    assert await call("delete", address) == (200, gone)
    for method, below in (("get", ""), ("delete", ""), ("get", "/items")):
        assert (await call(method, address + below))[0] == 404
    assert await sync_to_async(ConversationItem.objects.count)() == 0


async def test_an_empty_body_begins_an_empty_one() -> None:
    response = await AsyncClient().post("/v1/conversations", b"", content_type="text/plain")
    assert response.status_code == 200 and json.loads(response.content)["metadata"] == {}
    bodies: list[dict[str, Any]] = [{}, {"items": None, "metadata": None}, {"items": []}]
    for body in bodies:
        conversation = await begun(**body)
        listed = (await call("get", f"/{conversation}/items"))[1]
        assert (listed["data"], listed["first_id"], listed["has_more"]) == ([], None, False)


async def test_items_are_added_listed_shown_and_deleted() -> None:
    conversation = await begun(items=TURNS[:1])
    status, added = await call("post", f"/{conversation}/items", items=TURNS[1:])
    assert (status, added["object"], added["has_more"]) == (200, "list", False)
    assert [added["first_id"], added["last_id"]] == [added["data"][0]["id"], added["data"][-1]["id"]]
    for item in added["data"]:
        check_item(item)
    listed = (await call("get", f"/{conversation}/items?order=asc"))[1]["data"]
    assert [item["type"] for item in listed] == [
        *("message", "message", "function_call", "function_call_output", "reasoning")
    ]
    assert listed[0]["content"] == [{"type": "input_text", "text": "one"}] and listed[1:] == added["data"]
    newest = (await call("get", f"/{conversation}/items?limit=2"))[1]
    assert newest["data"] == listed[:2:-1] and newest["has_more"]
    rest = (await call("get", f"/{conversation}/items?after={newest['last_id']}"))[1]
    assert rest["data"] == listed[2::-1] and not rest["has_more"]
    address = f"/{conversation}/items/{listed[1]['id']}"
    assert await call("get", address) == (200, listed[1])
    assert (await call("delete", address))[1]["id"] == conversation
    assert (await call("get", address))[0] == (await call("delete", address))[0] == 404
    assert len((await call("get", f"/{conversation}/items"))[1]["data"]) == 4


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("", {"items": [USER] * 21}, "items"),
        ("", {"items": [{"type": "thing"}]}, "items.0.type"),
        ("", {"metadata": {"a": 5}}, "metadata.a"),
        ("", {"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ("", {"name": "x"}, "name"),
        ("/ID", {}, "metadata"),
        ("/ID/items", {}, "items"),
        ("/ID/items", {"items": []}, "items"),
        ("/ID/items?include=x", {"items": [USER]}, "include"),
        ("/ID/items?limit=5", {"items": [USER]}, "limit"),
    ],
)
async def test_what_is_wrong_is_named(path: str, body: dict[str, Any], param: str) -> None:
    conversation = await begun()
    response = await ask(f"/v1/conversations{path.replace('ID', conversation)}", body)
    assert (response.status_code, error_of(response)["param"]) == (400, param)


async def test_an_item_may_be_named_where_it_is_kept() -> None:
    conversation = await begun(items=[USER])
    (item,) = (await call("get", f"/{conversation}/items"))[1]["data"]
    other = await begun(items=[{"type": "item_reference", "id": item["id"]}])
    (copied,) = (await call("get", f"/{other}/items"))[1]["data"]
    assert copied["id"] != item["id"] and copied["content"] == item["content"]
    reference = {"type": "item_reference", "id": item["id"]}
    _, request = await made(telling(*SAID, *ENDED), input=[reference])
    assert request.messages[0].content == "one"
    status, refusal = await call("post", items=[USER, {"type": "item_reference", "id": "msg_none"}])
    assert (status, refusal["error"]["param"]) == (404, "items.1.id")


async def test_a_step_of_another_servers_tool_is_left_out_and_listed() -> None:
    step = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    response = await ask("/v1/conversations", {"items": [USER, step]})
    assert response["x-mlx-omitted"] == "items.1:web_search_call"
    conversation = json.loads(response.content)["id"]
    assert len((await call("get", f"/{conversation}/items"))[1]["data"]) == 1


async def test_a_conversation_is_its_makers_alone(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    _, mine = await sync_to_async(make_key)()
    _, other = await sync_to_async(make_key)(owner=await sync_to_async(User.objects.create)(username="bob"))
    key = {"Authorization": f"Bearer {mine}"}
    kept = json.loads((await ask("/v1/conversations", {"items": [USER]}, headers=key)).content)
    address = f"/v1/conversations/{kept['id']}"
    listed = json.loads((await AsyncClient().get(f"{address}/items", headers=key)).content)
    item = f"{address}/items/{listed['data'][0]['id']}"
    stranger = {"Authorization": f"Bearer {other}"}
    for method, path in (("get", address), ("delete", address), ("get", f"{address}/items")):
        assert (await getattr(AsyncClient(), method)(path, headers=stranger)).status_code == 404
    for method in ("get", "delete"):
        assert (await getattr(AsyncClient(), method)(item, headers=stranger)).status_code == 404
    for path, body in ((address, {"metadata": {}}), (f"{address}/items", {"items": [USER]})):
        assert (await ask(path, body, headers=stranger)).status_code == 404
    assert json.loads((await AsyncClient().get(address, headers=key)).content) == kept


async def test_a_conversation_that_was_not_used_for_too_long_is_forgotten(settings: Any) -> None:
    settings.CONFIG = Config(response_days=2)
    used, left = await begun(items=[USER]), await begun(items=[USER])
    old = timezone.now() - timedelta(days=2, minutes=1)
    await sync_to_async(StoredConversation.objects.update)(used_at=old, created_at=old)
    assert (await call("get", f"/{left}"))[0] == 404
    await sync_to_async(StoredConversation.objects.filter(pk=used).update)(used_at=timezone.now())
    await sync_to_async(conversation_store.forget_old)()
    assert (await call("get", f"/{used}"))[0] == 200
    assert await sync_to_async(StoredConversation.objects.count)() == 1


async def test_a_conversation_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_store, "MOST_ITEMS", 2)
    conversation = await begun(items=[USER, USER])
    status, refusal = await call("post", f"/{conversation}/items", items=[USER])
    assert (status, refusal["error"]["param"]) == (400, "conversation")
