"""The account that a page belongs to, compared with the one whose session its request has."""

from typing import Any

from django.http import HttpRequest

from inference.core.errors import AuthenticationFailed

HEADER = "X-Account"  # the account's number, 0 for none; missing where the request is not a page's
SIGNED_OUT = "You are signed out. Your text is kept: sign in to continue."
OTHER_ACCOUNT = "Another account is signed in now. Your text is kept: reload the page to continue."


def number_of(user: Any) -> str:
    """The account's number as pages name it."""
    return str(user.pk or 0)


def check(request: HttpRequest, user: Any) -> None:
    """Raise AuthenticationFailed where the page belongs to another account than the session.

    On an open site, a page whose session has ended would otherwise store its chats in the list of everybody.
    """
    now = number_of(user)
    if request.headers.get(HEADER, now) != now:
        if now == "0":
            raise AuthenticationFailed(SIGNED_OUT)
        raise AuthenticationFailed(OTHER_ACCOUNT, param="account")
