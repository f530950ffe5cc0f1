"""The routes below /v1, who may use them, and how their errors are told."""

from ninja import NinjaAPI

from inference.openai import chat_completions, completions, errors, models, tokenize
from inference.openai.auth import Caller

# No docs page: ninja's would fetch its scripts from another site.
api = NinjaAPI(
    title="OpenAI dialect", urls_namespace="openai", auth=Caller(), docs_url=None, openapi_url=None
)
errors.handle_all(api)
for router in (chat_completions.router, completions.router, models.router, tokenize.router):
    api.add_router("", router)
