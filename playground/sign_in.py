"""The pages for signing in and for setting a password with an operator's link."""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils.cache import add_never_cache_headers

from inference.accounts.sign_in_form import BUSY, THROTTLED, SignInForm
from inference.core.installation import PROGRAM


class SignInView(LoginView):
    """Django's, throttled: an attempt that comes too early is answered with 429."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The command of the server is for those who sit at it: strangers learn no names from the page."""
        return super().get_context_data(**kwargs) | _of_site()

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if not any(form.has_error("__all__", code) for code in (THROTTLED, BUSY)):
            return super().form_invalid(form)
        refusal = " ".join(map(str, form.non_field_errors()))
        response = self.render_to_response(self.get_context_data(form=form, refusal=refusal), status=429)
        response["Retry-After"] = str(getattr(form, "retry_after", 0) or 5)
        return response


def refused_sign_in(
    request: HttpRequest, refusal: str, *, status: int, next_url: str = "", retry_after: int = 0
) -> HttpResponse:
    """The page for signing in after an attempt by other means than its form."""
    own = {"form": SignInForm(request), "refusal": refusal, "action": reverse("login"), "next": next_url}
    context = own | _of_site()
    response = render(request, "registration/login.html", context, status=status)
    add_never_cache_headers(response)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def _of_site() -> dict[str, Any]:
    return {"program": PROGRAM, "is_reachable": settings.CONFIG.is_reachable}


class PasswordLinkView(PasswordResetConfirmView):
    """The page behind a one-time link (accounts/password_link.py)."""

    template_name = "registration/password_link.html"
    success_url = reverse_lazy("login")
    title = "Set your password"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        account = self.user.get_username() if self.user else ""
        return super().get_context_data(**kwargs) | {"account": account}
