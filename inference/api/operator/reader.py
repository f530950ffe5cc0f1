"""The permission to read what a page of the admin shows: that of the page, also on an open site."""

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from inference.api.http.auth import Caller
from inference.api.operator import token
from inference.core.errors import PermissionDenied
from inference.core.principal import Principal


class Reader:
    """Names the principal: this site's `manage.py`, the operator's key, or an account with one of the rights.

    A key made in the admin needs the scope `manage`, and its owner one of the rights.
    """

    def __init__(self, *rights: str) -> None:
        self._rights = rights
        self._caller = Caller("manage")

    async def __call__(self, request: HttpRequest) -> Principal:
        if token.is_good(request.headers.get("Authorization", "")):
            return Principal(kind="local", name="manage.py")
        principal = await self._caller(request)
        if principal.kind == "key" and not principal.account:
            return principal
        if not await self._may_read(request, principal):
            raise PermissionDenied(
                "This needs an account with the permission for the page in the admin, or the operator's key."
            )
        return principal

    async def _may_read(self, request: HttpRequest, principal: Principal) -> bool:
        # On an open site everybody may call, and only those who have signed in may read.
        signed_in = await request.auser() if principal.kind != "key" else None
        user = signed_in or await get_user_model().objects.filter(username=principal.account).afirst()
        return user is not None and await sync_to_async(lambda: any(map(user.has_perm, self._rights)))()
