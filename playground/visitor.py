"""Who asks: the visitor of a request, and the decorator of views that only visitors who may chat reach."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods

from inference.accounts.permissions import acheck_may_chat, visitor
from inference.api.http import errors
from inference.core.errors import AuthenticationFailed, ServerError
from inference.core.principal import Principal
from inference.storage.database_threads import release_connection
from playground import page_account
from playground.changes import CHANGES, Change
from playground.prompt_variables import filled, variables
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

    def publish(self, change: Change) -> None:
        """Have the visitor's open pages learn of a change."""
        CHANGES.publish_everywhere(self.principal.owner, change)

    @property
    def name(self) -> str:
        """The name of the account's owner, or of the account; empty without one."""
        return str(self.user.get_full_name() or self.user.get_username()) if self.user else ""

    def system_prompt(self, text: str, timezone: str, model: str) -> str:
        """A system prompt with its variables filled in."""
        return filled(text, variables(timezone, name=self.name, model=model))


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
                    raise AuthenticationFailed(page_account.SIGNED_OUT)
                page_account.check(request, user)
                await acheck_may_chat(user)
                await release_connection()
                return await view(Visitor(request, principal, user), *args, **kwargs)
            except (ServerError, OperationalError, InterfaceError) as error:
                return errors.response(errors.explain(error))

        return guarded

    return decorate
