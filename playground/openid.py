"""Signing in and out by OpenID Connect, in a browser; its addresses exist only where a provider is set."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.views import LogoutView
from django.core.exceptions import SuspiciousOperation
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.crypto import constant_time_compare
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from inference.accounts import sign_in_throttle
from inference.accounts.openid.errors import NotAdmitted, ProviderUnavailable, SignInRefused
from inference.accounts.openid.library_settings import library_setting
from inference.accounts.openid.provider import PROVIDER
from inference.accounts.sign_in_form import too_many_failures
from inference.accounts.sign_in_throttle import SignInThrottled
from playground.sign_in import refused_sign_in

logger = logging.getLogger(__name__)
_ANSWERED_WITHIN_S = 600  # from the button to the way back from the provider
_MOST_AT_ONCE = 8  # each of them holds a thread while the provider is asked
_PLACES = threading.BoundedSemaphore(_MOST_AT_ONCE)
_STATES, _ID_TOKEN, _NEXT = "oidc_states", "oidc_id_token", "oidc_login_next"  # the library's, in a session


@receiver(user_logged_in)
def _end_short_session(request: HttpRequest, **_: Any) -> None:
    """A session that began with the button below is short until somebody has signed in, however they did."""
    request.session.set_expiry(None)


class OpenIDSignInView(OIDCAuthenticationRequestView):  # type: ignore[misc]  # the library is untyped
    """The address of the button: it sends the visitor to the provider."""

    get_settings = staticmethod(library_setting)

    def __init__(self, **kwargs: Any) -> None:
        super(OIDCAuthenticationRequestView, self).__init__(**kwargs)  # the library's asks for the address
        self.OIDC_RP_CLIENT_ID = settings.CONFIG.oidc_client_id

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            self.OIDC_OP_AUTH_ENDPOINT = PROVIDER.current().authorization_endpoint
        except ProviderUnavailable as error:
            return _unavailable(request, error)
        if not request.user.is_authenticated:
            request.session.set_expiry(_ANSWERED_WITHIN_S)
        response: HttpResponse = super().get(request)
        add_never_cache_headers(response)
        return response


class OpenIDCallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]  # the library is untyped
    """Where the provider sends the visitor back to: throttled and logged as sign-ins with passwords are."""

    get_settings = staticmethod(library_setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        if not _PLACES.acquire(blocking=False):
            text = "Too many sign-ins are in progress. Please try again in a few seconds."
            return _asked_again(request, text, 429, retry_after=5)
        try:
            return self._sign_in(request)
        finally:
            _PLACES.release()

    def _sign_in(self, request: HttpRequest) -> HttpResponse:
        state, address = self._known_state(request), request.META.get("REMOTE_ADDR", "")
        # Who signs in is not known yet: without a name, only attempts of one address count together.
        attempt = f"openid {state}"
        try:
            sign_in_throttle.admit(attempt, address)
            response = self._signed_in(request, state)
        except SignInThrottled as throttled:
            text = too_many_failures(throttled.retry_after)
            return _asked_again(request, text, 429, retry_after=throttled.retry_after)
        except ProviderUnavailable as error:
            sign_in_throttle.take_back(attempt, address)
            return _unavailable(request, error)
        except (SignInRefused, SuspiciousOperation) as error:
            return _refused(request, error, address)
        sign_in_throttle.take_back(attempt, address)
        name = request.user.get_username()
        logger.info("%r signed in from %s by OpenID Connect", name, address or "an unknown address")
        return response

    def _known_state(self, request: HttpRequest) -> str:
        """The state of this answer, if this browser was sent away with it lately; else empty."""
        state = request.GET.get("state", "")
        kept = request.session.get(_STATES, {}).get(state)
        return state if kept and time.time() - kept["added_on"] < _ANSWERED_WITHIN_S else ""

    def _signed_in(self, request: HttpRequest, state: str) -> HttpResponse:
        if not state:
            raise SignInRefused("it was not begun in this browser, or too long ago, or is over")
        if "error" in request.GET or "code" not in request.GET:
            del request.session[_STATES][state]  # the library would sign out the current user
            request.session.modified = True
            raise SignInRefused(f"the provider answered {request.GET.get('error', 'no code')[:60]!r}")
        issuer = request.GET.get("iss", settings.CONFIG.oidc_issuer)
        if not constant_time_compare(issuer, settings.CONFIG.oidc_issuer):  # RFC 9207
            raise SignInRefused(f"the answer is of another provider: {issuer[:200]!r}")
        response: HttpResponse = super().get(request)
        add_never_cache_headers(response)
        return response

    def login_success(self) -> HttpResponse:
        """Begin the session; to sign in as somebody else empties it, so what is kept is read before."""
        target, token = self.success_url, self.request.session.get(_ID_TOKEN)
        super().login_success()
        session = self.request.session
        session.pop(_NEXT, None)
        session[_ID_TOKEN] = token
        session.set_expiry(datetime.now(UTC) + timedelta(hours=settings.CONFIG.oidc_session_hours))
        return HttpResponseRedirect(target)

    def login_failure(self) -> HttpResponse:
        raise SignInRefused("no account was found")


class OpenIDSignOutView(LogoutView):
    """Sign out here, and at the provider as well where it has an address for that.

    Not by a redirect: the Content-Security-Policy lets forms lead nowhere but to this site.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token, provider = request.session.get(_ID_TOKEN), PROVIDER.known()
        response = super().post(request, *args, **kwargs)
        if not token or not provider or not provider.end_session_endpoint:
            return response
        leave = urlencode(
            {
                "id_token_hint": token,
                "client_id": settings.CONFIG.oidc_client_id,
                "post_logout_redirect_uri": request.build_absolute_uri(reverse("playground")),
            }
        )
        mark = "&" if "?" in provider.end_session_endpoint else "?"
        page = {"address": f"{provider.end_session_endpoint}{mark}{leave}"}
        return render(request, "registration/signed_out.html", page)


def _unavailable(request: HttpRequest, error: ProviderUnavailable) -> HttpResponse:
    logger.warning("A sign-in by OpenID Connect is not possible: %s", error.reason)
    name = settings.CONFIG.oidc_label
    text = f"Signing in with {name} is not possible at this moment. Try again later, or use a password."
    return _asked_again(request, text, 503, retry_after=10)


def _refused(request: HttpRequest, error: Exception, address: str) -> HttpResponse:
    logger.warning(
        "A sign-in by OpenID Connect from %s was refused: %s", address or "an unknown address", error
    )
    request.session.pop(_ID_TOKEN, None)
    name = settings.CONFIG.oidc_label
    text = (
        f"Your account at {name} may not sign in here. Ask an administrator for access."
        if isinstance(error, NotAdmitted)
        else f"Signing in with {name} failed. Please try again; the log of this site has the reason."
    )
    return _asked_again(request, text, 403)


def _asked_again(request: HttpRequest, text: str, status: int, *, retry_after: int = 0) -> HttpResponse:
    """The page for signing in, which leads on to where this attempt would have led."""
    next_url = request.session.get(_NEXT) or ""
    return refused_sign_in(request, text, status=status, next_url=next_url, retry_after=retry_after)
