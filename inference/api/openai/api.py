"""The routes below /v1, with their permissions and the form of their errors."""

from ninja import NinjaAPI

from inference.api.anthropic import messages
from inference.api.http import errors
from inference.api.http.auth import Caller
from inference.api.openai import (
    answer_control,
    chat_completions,
    completions,
    embeddings,
    models,
    rerank,
    tokenize,
)
from inference.api.openai.conversations import routes as conversations
from inference.api.openai.responses import compaction, counting
from inference.api.openai.responses import routes as responses

# No docs page: ninja's would fetch its scripts from another site.
api = NinjaAPI(
    title="OpenAI dialect", urls_namespace="openai", auth=Caller(), docs_url=None, openapi_url=None
)
errors.handle_all(api)
for part in (
    *(
        chat_completions,
        answer_control,
        completions,
        compaction,
        counting,
        responses,
        conversations,
        tokenize,
    ),
    messages,
):
    api.add_router("", part.router, auth=Caller("chat"))
for other in (embeddings, rerank):
    api.add_router("", other.router, auth=Caller("embeddings"))
api.add_router("", models.router)  # every key may list the models
