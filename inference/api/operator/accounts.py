"""GET /api/accounts: the accounts and their roles; and POST /api/accounts/role and /api/accounts/active."""

from functools import partial
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from inference.accounts import account_list
from inference.accounts.roles import Role
from inference.api.http import strict_json
from inference.api.http.auth import AuthenticatedRequest
from inference.api.http.json_answer import json_answer
from inference.api.openai.schemas import Strict
from inference.api.operator.page_permission import PagePermission, account
from inference.core.errors import PermissionDenied
from inference.storage.database_threads import in_database

router = Router(auth=PagePermission("auth.view_user"))
_changing = PagePermission("auth.change_user", takes_keys=False)


class NamedAccount(Strict):
    """Which account is meant, by its user name."""

    name: Annotated[str, Field(min_length=1, max_length=150)]


class NewRole(NamedAccount):
    role: Literal["chat", "manage", "owner"]


class NewState(NamedAccount):
    is_active: bool


@router.get("/accounts")
async def show(request: HttpRequest) -> HttpResponse:
    """Every account with its role."""
    return json_answer({"accounts": await in_database(account_list.listed)})


@router.post("/accounts/role", auth=_changing)
async def set_role(request: AuthenticatedRequest) -> HttpResponse:
    """Give an account a role; only owners may, as others could raise their own."""
    body = await strict_json.read(request, NewRole)
    giver = await account(request, request.auth)
    if giver and not giver.is_superuser:
        raise PermissionDenied("Only an owner can change a role.")
    change = partial(account_list.set_role, body.name, Role(body.role), giver)
    return json_answer(await in_database(change))


@router.post("/accounts/active", auth=_changing)
async def set_active(request: AuthenticatedRequest) -> HttpResponse:
    """Enable an account, or disable it, which ends its requests and signs it out."""
    body = await strict_json.read(request, NewState)
    giver = await account(request, request.auth)
    change = partial(account_list.set_active, body.name, body.is_active, giver)
    return json_answer(await in_database(change))
