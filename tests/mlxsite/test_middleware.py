import threading
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, AsyncRequestFactory
from django.utils.module_loading import import_string

from tests.each import each

IN_PLACE = [path for path in settings.MIDDLEWARE if path.startswith("mlxsite.middleware.")]


@each("path", IN_PLACE)
async def test_its_hooks_run_in_the_requests_own_thread(path: str) -> None:
    ran_in: set[str] = set()

    class Watched(import_string(path)):  # type: ignore[misc]
        def process_request(self, request: HttpRequest) -> Any:
            ran_in.add(threading.current_thread().name)
            known = hasattr(super(), "process_request")
            return super().process_request(request) if known else None

    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("seen")

    request = AsyncRequestFactory().get("/")
    request.session = {}  # type: ignore[assignment]
    response = await Watched(view)(request)
    assert response.content == b"seen"
    assert ran_in == {threading.current_thread().name}


async def test_every_answer_has_djangos_security_headers() -> None:
    headers = (await AsyncClient().get("/health")).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_a_form_without_its_token_is_refused() -> None:
    for address in ("/chat/ask/", "/login/", "/logout/"):
        response = await AsyncClient(enforce_csrf_checks=True).post(address, {"username": "a"})
        assert response.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("is_secure", [True, False])
async def test_cookies_that_are_set_over_tls_are_sent_over_tls_alone(is_secure: bool) -> None:
    response = await AsyncClient().get("/login/", secure=is_secure)
    assert response.cookies
    assert {bool(cookie["secure"]) for cookie in response.cookies.values()} == {is_secure}
    assert ("Strict-Transport-Security" in response.headers) == is_secure
