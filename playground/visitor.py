"""Who asks: the visitor of a request, and the decorator of views that only visitors who may chat reach."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods

from inference.accounts.permissions import acheck_may_chat, visitor
from inference.api.http import errors
from inference.core.errors import AuthenticationFailed, ServerError
from inference.core.principal import Principal
from playground.store import ConversationStore

P = ParamSpec("P")
View = Callable[Concatenate["Visitor", P], Coroutine[Any, Any, HttpResponseBase]]


class Visitor:
    """The visitor of a request, and that visitor's conversations."""

    def __init__(self, request: HttpRequest, principal: Principal, user: Any) -> None:
        self.request = request
        self.user = user if principal.kind == "user" else None
        self.principal = principal
        self.store = ConversationStore(self.user)


def for_visitors(*methods: str) -> Callable[[View[P]], Callable[..., Any]]:
    """Decorate a view for visitors who may chat; a ServerError becomes a JSON response."""

    def decorate(view: View[P]) -> Callable[..., Any]:
        @require_http_methods(list(methods))
        @wraps(view)
        async def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                user = await request.auser()
                principal = visitor(user)
                if principal is None:
                    raise AuthenticationFailed("You are signed out; reload the page to sign in again.")
                await acheck_may_chat(user)
                return await view(Visitor(request, principal, user), *args, **kwargs)
            except ServerError as error:
                return errors.response(error)

        return guarded

    return decorate
