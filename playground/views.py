"""The playground page and the stream of its answers."""

import asyncio
from typing import Any

import msgspec
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from inference import live
from inference.access import visitor
from inference.chat import stream
from inference.errors import AuthenticationFailed, ServerError
from inference.openai import departure, errors, parsing, sse
from inference.openai.feed import Feed
from playground import events, requests


@require_GET
@ensure_csrf_cookie
def index(request: HttpRequest) -> HttpResponse:
    """The page, with the models as they are now, so that it is complete before its websocket is."""
    if visitor(request.user) is None:
        return redirect_to_login(request.get_full_path())
    page: dict[str, Any] = {
        "models": msgspec.to_builtins(live.models()),
        "addresses": {"chat": reverse("playground-chat"), "live": "/ws/models/"},
    }
    return render(request, "playground/index.html", {"page": page})


@require_POST
async def chat(request: HttpRequest) -> HttpResponseBase:
    """Answer the posted conversation as server-sent events; once they begin, an error is an event too."""
    try:
        principal = visitor(await request.auser())
        if principal is None:
            raise AuthenticationFailed("You are signed out; reload the page to sign in again.")
        question = await asyncio.to_thread(requests.parse, parsing.body_of(request))
    except ServerError as error:
        return errors.response(error)
    feed = Feed(stream(question, principal))
    departure.at_end(request, feed.cancel)
    return sse.EventStream(events.sent(feed))
