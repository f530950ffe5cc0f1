"""GET /v1/openapi.json: this API in OpenAPI 3.1, from the schemas that its bodies are checked with."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from inference.api.anthropic import openapi_objects as anthropic
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import (
    ChatCompletionBody,
    CompletionBody,
    ControlBody,
    DetokenizeBody,
    EmbeddingBody,
    RerankBody,
    ResponseBody,
    Strict,
)
from inference.api.openai.schemas.conversations import ConversationBody, ConversationUpdate, ItemsBody
from inference.api.openai.tokenize import ChatDryRun, CompletionDryRun

Json = dict[str, Any]
_REFS = "#/components/schemas/{model}"


def _object(required: str, **properties: Any) -> Json:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list_of(item: Json) -> Json:
    return {"type": "array", "items": item}


def _or_null(kind: str) -> Json:
    return {"type": [kind, "null"]}


TEXT, WHOLE, YES, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "number"}
COUNTS = {"prompt_tokens": WHOLE, "completion_tokens": WHOLE, "total_tokens": WHOLE}
USAGE = _object("prompt_tokens total_tokens", **COUNTS)
MODEL = _object(
    "id object created owned_by", id=TEXT, object={"const": "model"}, created=WHOLE, owned_by=TEXT
)
MESSAGE = _object("role content", role={"const": "assistant"}, content=_or_null("string"))
FUNCTION = _object("name arguments", name=TEXT, arguments=TEXT)
CUSTOM = _object("name input", name=TEXT, input=TEXT)
CALL = _object("id type", id=TEXT, type={"enum": ["function", "custom"]}, function=FUNCTION, custom=CUSTOM)
MESSAGE["properties"] |= {"reasoning_content": TEXT, "refusal": _or_null("string")}
MESSAGE["properties"] |= {"tool_calls": _list_of(CALL), "function_call": FUNCTION}
REASON = {"enum": ["stop", "length", "tool_calls", "function_call"]}
CHAT_CHOICE = _object("index message finish_reason", index=WHOLE, message=MESSAGE, finish_reason=REASON)
TEXT_CHOICE = _object("index text finish_reason", index=WHOLE, text=TEXT, finish_reason=REASON)
VECTOR = _object(
    "object index embedding",
    object=TEXT,
    index=WHOLE,
    embedding={"type": ["array", "string"], "items": NUMBER},
)
IDS = _list_of(WHOLE)
OBJECTS: Mapping[str, Json] = {
    "Error": _object(
        "error",
        error=_object(
            "message type param code", message=TEXT, type=TEXT, param=_or_null("string"), code=TEXT
        ),
    ),
    "ChatCompletion": _object(
        "id object created model choices usage",
        **{"id": TEXT, "object": {"const": "chat.completion"}, "created": WHOLE, "model": TEXT},
        choices=_list_of(CHAT_CHOICE),
        usage=USAGE,
    ),
    "Completion": _object(
        "id object created model choices usage",
        **{"id": TEXT, "object": {"const": "text_completion"}, "created": WHOLE, "model": TEXT},
        choices=_list_of(TEXT_CHOICE),
        usage=USAGE,
    ),
    "Controlled": _object(
        "id action success message",
        **{"id": TEXT, "action": TEXT, "success": YES, "message": _or_null("string")},
    ),
    "Embeddings": _object(
        "object data model usage", object=TEXT, data=_list_of(VECTOR), model=TEXT, usage=USAGE
    ),
    "Reranked": _object(
        "id model results usage meta",
        **{"id": TEXT, "model": TEXT, "usage": USAGE, "meta": {"type": "object"}},
        results=_list_of(_object("index relevance_score", index=WHOLE, relevance_score=NUMBER)),
    ),
    "Response": _object(
        "id object created_at completed_at status model output error incomplete_details usage text tools "
        "tool_choice temperature top_p presence_penalty frequency_penalty max_output_tokens store metadata",
        **{"id": TEXT, "object": {"const": "response"}, "created_at": WHOLE, "model": TEXT},
        completed_at=_or_null("integer"),
        status={"enum": ["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]},
        output=_list_of(_object("id type", id=TEXT, type=TEXT)),
        **dict.fromkeys(("error", "incomplete_details", "usage"), _or_null("object")),
        **dict.fromkeys(("temperature", "top_p", "presence_penalty", "frequency_penalty"), NUMBER),
        max_output_tokens=_or_null("integer"),
        store=YES,
    ),
    "InputTokens": _object("object input_tokens", object=TEXT, input_tokens=WHOLE),
    "Compaction": _object(
        "id object created_at output usage",
        **{"id": TEXT, "object": {"const": "response.compaction"}, "created_at": WHOLE},
        output=_list_of({"type": "object"}),
        usage={"type": "object"},
    ),
    "Deleted": _object("id deleted", id=TEXT, deleted=YES),
    "Items": _object("object data has_more", object=TEXT, data=_list_of({"type": "object"}), has_more=YES),
    "Item": _object("id type", id=TEXT, type=TEXT),
    "Conversation": _object(
        "id object created_at metadata",
        **{"id": TEXT, "object": {"const": "conversation"}, "created_at": WHOLE},
        metadata={"type": "object"},
    ),
    "Model": MODEL,
    "Models": _object("object data", object=TEXT, data=_list_of(MODEL)),
    "Tokens": _object(
        "object model tokens count context_length prompt",
        **{"object": TEXT, "model": TEXT, "count": WHOLE, "context_length": WHOLE},
        tokens={"anyOf": [IDS, _list_of(IDS)]},
        prompt={"anyOf": [TEXT, _list_of(TEXT)]},
    ),
    "Text": _object("object model prompt", object=TEXT, model=TEXT, prompt=TEXT),
    **anthropic.OBJECTS,
}
BODIES: Mapping[str, tuple[type[Strict], ...]] = {
    "/chat/completions": (ChatCompletionBody,),
    "/chat/completions/control": (ControlBody,),
    "/completions": (CompletionBody,),
    "/embeddings": (EmbeddingBody,),
    "/responses": (ResponseBody,),
    "/responses/input_tokens": (ResponseBody,),
    "/responses/compact": (ResponseBody,),
    "/conversations": (ConversationBody,),
    "/conversations/{conversation_id}": (ConversationUpdate,),
    "/conversations/{conversation_id}/items": (ItemsBody,),
    "/rerank": (RerankBody,),
    "/tokenize": (ChatDryRun, CompletionDryRun),
    "/detokenize": (DetokenizeBody,),
    **anthropic.BODIES,
}
STREAMED = frozenset({"/chat/completions", "/completions", "/responses", *anthropic.STREAMED})
ANSWERS: Mapping[tuple[str, str], str] = {
    ("post", "/chat/completions"): "ChatCompletion",
    ("post", "/chat/completions/control"): "Controlled",
    ("post", "/completions"): "Completion",
    ("post", "/embeddings"): "Embeddings",
    ("post", "/rerank"): "Reranked",
    ("post", "/responses"): "Response",
    ("get", "/responses/{response_id}"): "Response",
    ("post", "/responses/{response_id}/cancel"): "Response",
    ("post", "/responses/input_tokens"): "InputTokens",
    ("post", "/responses/compact"): "Compaction",
    ("delete", "/responses/{response_id}"): "Deleted",
    ("get", "/responses/{response_id}/input_items"): "Items",
    ("post", "/conversations"): "Conversation",
    ("get", "/conversations/{conversation_id}"): "Conversation",
    ("post", "/conversations/{conversation_id}"): "Conversation",
    ("delete", "/conversations/{conversation_id}"): "Deleted",
    ("get", "/conversations/{conversation_id}/items"): "Items",
    ("post", "/conversations/{conversation_id}/items"): "Items",
    ("get", "/conversations/{conversation_id}/items/{item_id}"): "Item",
    ("delete", "/conversations/{conversation_id}/items/{item_id}"): "Conversation",
    ("post", "/tokenize"): "Tokens",
    ("post", "/detokenize"): "Text",
    ("get", "/models"): "Models",
    ("get", "/models/{model_id}"): "Model",
    **anthropic.ANSWERS,
}
_STATUSES = {
    400: "Something in the request is wrong; `param` names it.",
    401: "The key is wrong or missing.",
    403: "The key or user lacks the permission or scope.",
    404: "There is no such model, response, conversation, item or answer in progress.",
    409: "An operator stopped this request.",
    413: "The body is too large.",
    415: "The body is not JSON in UTF-8.",
    429: "Too many requests are waiting; Retry-After says when to retry.",
    500: "An internal error occurred.",
    503: "The model cannot be served now; the message says why.",
    529: "Other requests are being served first; Retry-After says when to retry.",
}


@lru_cache(maxsize=1)
def document() -> Json:
    """The whole description."""
    from inference.api.openai.api import api

    shown = api.get_openapi_schema(path_prefix="")
    schemas: Json = dict(OBJECTS)
    paths = {
        path: {
            method: _operation(method, path, shown_operation, schemas)
            for method, shown_operation in methods.items()
        }
        for path, methods in shown["paths"].items()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mlxsite",
            "version": "1",
            "description": "docs/api.md describes every endpoint and field.",
        },
        "servers": [{"url": "/v1"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}, {}],
    }


@require_GET
async def openapi(request: HttpRequest) -> HttpResponse:
    """The description as JSON; it has nothing that docs/api.md does not have."""
    return json_answer(document())


def _operation(method: str, path: str, shown_operation: Mapping[str, Any], schemas: Json) -> Json:
    made: Json = {
        "operationId": f"{method}{path}".replace("/", "_").translate({ord("{"): None, ord("}"): None}),
        "summary": shown_operation.get("description", "").strip().splitlines()[0],
        "responses": {"200": _success(method, path)} | _errors(path),
    }
    if parameters := [_parameter(one) for one in shown_operation.get("parameters", ())]:
        made["parameters"] = parameters
    if path in BODIES and method == "post":
        made["requestBody"] = {"required": True, "content": _json(_either(BODIES[path], schemas))}
    return made


def _parameter(shown_operation: Mapping[str, Any]) -> Json:
    return {
        "name": shown_operation["name"],
        "in": shown_operation["in"],
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }


def _success(method: str, path: str) -> Json:
    content = _json(_ref(ANSWERS[method, path]))
    if method == "post" and path in STREAMED:
        content["text/event-stream"] = {"schema": _object("data", data=TEXT, event=TEXT)}
    return {"description": "The answer.", "content": content}


def _errors(path: str) -> Json:
    kind = _ref("AnthropicError" if path in anthropic.BODIES else "Error")
    return {str(status): {"description": text, "content": _json(kind)} for status, text in _STATUSES.items()}


def _either(bodies: tuple[type[Strict], ...], schemas: Json) -> Json:
    for body in bodies:
        made = body.model_json_schema(ref_template=_REFS)
        schemas |= made.pop("$defs", {})
        schemas[body.__name__] = made
    refs = [_ref(body.__name__) for body in bodies]
    return refs[0] if len(refs) == 1 else {"anyOf": refs}


def _ref(name: str) -> Json:
    return {"$ref": _REFS.format(model=name)}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
