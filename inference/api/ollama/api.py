"""The routes below Ollama's prefix, with their permissions and their addresses."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from inference.api.http import errors
from inference.api.http.auth import Caller
from inference.api.ollama import answering, embeddings, models

# No docs page: ninja's would fetch its scripts from another site.
api = NinjaAPI(title="Ollama's API", urls_namespace="ollama", auth=Caller(), docs_url=None, openapi_url=None)
errors.handle_all(api)
api.add_router("", answering.router, auth=Caller("chat"))
api.add_router("", embeddings.router, auth=Caller("embeddings"))
api.add_router("", models.router)  # every key may list the models


@require_safe
async def running(request: HttpRequest) -> HttpResponse:
    """What clients look for before they ask anything."""
    return HttpResponse("Ollama is running", content_type="text/plain")


def urls(prefix: str) -> list[URLPattern | URLResolver]:
    """The addresses below a prefix such as `/ollama`; none without one."""
    if not prefix:
        return []
    below = prefix.strip("/")
    return [path(below, running), path(f"{below}/", running), path(f"{below}/api/", api.urls)]
