"""The permission of a page of the admin, for the same over /api: also on an open site."""

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.http import HttpRequest

from inference.api.http.auth import Caller
from inference.api.operator import token
from inference.core.errors import PermissionDenied
from inference.core.principal import Principal


class PagePermission:
    """Names the principal: this site's `manage.py`, the operator's key, or an account with one of the rights.

    A key made in the admin needs the scope `manage`, and its owner one of the rights. Without `takes_keys` it
    is refused: a key that was stolen must not make another one, or give its owner a role.
    """

    def __init__(self, *rights: str, takes_keys: bool = True) -> None:
        self._rights, self._takes_keys = rights, takes_keys
        self._caller = Caller("manage")

    async def __call__(self, request: HttpRequest) -> Principal:
        if token.is_good(request.headers.get("Authorization", "")):
            return Principal(kind="local", name="manage.py")
        principal = await self._caller(request)
        if principal.kind == "key" and not principal.account:
            return principal
        if principal.kind == "key" and not self._takes_keys:
            raise PermissionDenied(
                "An API key cannot do this: sign in, or use the operator's key or manage.py."
            )
        user = await account(request, principal)
        if user is None or not await sync_to_async(lambda: any(map(user.has_perm, self._rights)))():
            raise PermissionDenied(
                "This needs an account with the permission for the page in the admin, or the operator's key."
            )
        return principal


async def account(request: HttpRequest, principal: Principal) -> User | None:
    """The account of a caller; None for `manage.py`, for the operator's key, and for visitors.

    On an open site everybody may call, and an account is that of those who have signed in.
    """
    if principal.kind == "local" and principal.name == "manage.py":
        return None
    if principal.kind == "key":
        return await User.objects.filter(username=principal.account, is_active=True).afirst()
    signed_in = await request.auser()
    return signed_in if isinstance(signed_in, User) and signed_in.is_active else None
