"""The permission to operate the pool: callers of /v1 have it; signed-in users need a grant."""

from django.http import HttpRequest

from inference.api.http.auth import SAFE_METHODS, Caller
from inference.api.operator import token
from inference.core.errors import PermissionDenied
from inference.core.principal import Principal, Scope


class Operator:
    """Names the principal: a token's or key's owner, a user with the right, or anybody on an open site.

    A user with the right `look` alone may look.
    """

    def __init__(
        self,
        scope: Scope = "manage",
        right: str = "inference.run_servedmodel",
        look: str = "inference.view_servedmodel",
    ) -> None:
        self._caller = Caller(scope)
        self._right, self._look = right, look

    async def __call__(self, request: HttpRequest) -> Principal:
        if token.is_good(request.headers.get("Authorization", "")):
            return Principal(kind="local", name="manage.py")
        principal = await self._caller(request)
        if principal.kind == "user" and not await self._has_the_right(request):
            raise PermissionDenied("Your account lacks the permission for this; an owner can grant it.")
        return principal

    async def _has_the_right(self, request: HttpRequest) -> bool:
        user = await request.auser()
        if await user.ahas_perm(self._right):
            return True
        return request.method in SAFE_METHODS and await user.ahas_perm(self._look)
