"""The routes below /v1, who may use them, and how their errors are told."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from inference.openai import chat_completions, completions, errors, models
from inference.openai.auth import Caller


def _tell(request: HttpRequest, error: Any) -> HttpResponse:
    return errors.response(errors.explain(error))


# No docs page: ninja's would fetch its scripts from another site.
api = NinjaAPI(
    title="OpenAI dialect", urls_namespace="openai", auth=Caller(), docs_url=None, openapi_url=None
)
for kind in (Exception, Http404, HttpError, ValidationError):
    api.add_exception_handler(kind, _tell)
for router in (chat_completions.router, completions.router, models.router):
    api.add_router("", router)
