"""Django's middlewares that only look at headers and cookies, run where the request is.

Django hands every hook of a synchronous middleware to a thread and waits for it there, a dozen times a
request. These hooks neither wait nor reach for the database, so there is nothing to hand over.
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
    """What MiddlewareMixin does, less the thread."""

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
    # Django awaits a hook that is a coroutine, and threads any other.
    async def process_view(self, *args: Any) -> Any:  # type: ignore[override]
        return super().process_view(*args)


class Authentication(_InPlace, AuthenticationMiddleware): ...


class XFrameOptions(_InPlace, XFrameOptionsMiddleware): ...
