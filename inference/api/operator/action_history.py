"""Entries in the admin's history for what callers of /api do."""

from functools import partial

from django.http import HttpRequest

from inference.api.operator.page_permission import account
from inference.core.principal import Principal
from inference.serving import history
from inference.storage.database_threads import in_database


async def note(request: HttpRequest, kind: history.Kind, name: str, message: str) -> None:
    """Note what the caller's account did to `name`; callers without an account leave no entry."""
    caller: Principal = request.auth  # type: ignore[attr-defined]  # Ninja sets it
    user = await account(request, caller)
    if user is not None:
        await in_database(partial(history.write, user, kind, name, message))
