"""Whether an account may use the playground's websockets."""

from inference.accounts.permissions import Account, check_may_chat, visitor
from inference.api.http.live_socket import FORBIDDEN, UNAUTHORISED
from inference.core.errors import PermissionDenied


def refusal_of_visitor(user: Account) -> int:
    """The code for an account that may not chat, else 0."""
    if visitor(user) is None:
        return UNAUTHORISED
    try:
        check_may_chat(user)
    except PermissionDenied:
        return FORBIDDEN
    return 0
