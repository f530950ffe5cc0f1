"""The playground page and the stream of its answers."""

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
from inference.errors import AuthenticationFailed, InvalidValue, ServerError
from inference.openai import departure, errors, parsing, sse
from inference.openai.feed import Feed
from inference.openai.schemas import ChatCompletionBody
from inference.requests import ChatRequest
from playground import events


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
        question = _question(await parsing.read(request, ChatCompletionBody))
    except ServerError as error:
        return errors.response(error)
    feed = Feed(stream(question, principal))
    departure.at_end(request, feed.cancel)
    return sse.EventStream(events.sent(feed))


def _question(body: ChatCompletionBody) -> ChatRequest:
    """What the page asks: a body of the API's own, of which it shows one answer."""
    if body.messages[-1].role not in {"user", "tool"}:
        raise InvalidValue("The last message must be the user's, or a tool's.", param="messages")
    if body.n not in {None, 1}:
        raise InvalidValue("This page shows one answer at a time.", param="n")
    return body.request()
