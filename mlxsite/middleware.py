"""Django's middleware that reads only headers and cookies, run on the event loop.

Django runs every hook of a synchronous middleware in a thread, a dozen times per request. These hooks neither
block nor use the database, so they need no thread.
"""

from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.deprecation import MiddlewareMixin


class _InPlace(MiddlewareMixin):
    """MiddlewareMixin without its threads."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        middleware: Any = self
        response = middleware.process_request(request) if hasattr(self, "process_request") else None
        response = response or await middleware.get_response(request)
        if hasattr(self, "process_response"):
            response = middleware.process_response(request, response)
        answer: HttpResponseBase = response
        return answer


class Security(_InPlace, SecurityMiddleware): ...


class ContentSecurityPolicy(_InPlace, CSPMiddleware): ...  # type: ignore[misc]  # untyped in csp


class Common(_InPlace, CommonMiddleware): ...


class Csrf(_InPlace, CsrfViewMiddleware):
    # Django awaits this hook if it is a coroutine, and otherwise runs it in a thread.
    async def process_view(self, *args: Any) -> Any:  # type: ignore[override]
        return super().process_view(*args)


class Authentication(_InPlace, AuthenticationMiddleware): ...


class SecureCookies(_InPlace):
    """Cookies that were set over TLS are sent over TLS alone; on plain loopback they go on to work."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class XFrameOptions(_InPlace, XFrameOptionsMiddleware): ...
