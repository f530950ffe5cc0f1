from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client

from inference.api.http.middleware import json_errors
from tests.api.openai.asking import error_of
from tests.each import each


def answered(path: str, response: HttpResponse) -> HttpResponse:
    request = HttpRequest()
    request.path = path
    middleware: Callable[[HttpRequest], HttpResponse] = json_errors(lambda _: response)  # type: ignore[assignment]
    return middleware(request)


@each(
    ("status", "code"),
    [
        (400, "invalid_request_error"),
        (401, "invalid_api_key"),
        (403, "permission_denied"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (413, "body_too_large"),
        (500, "internal_error"),
    ],
)
def test_html_errors_below_v1_become_json(status: int, code: str) -> None:
    response = answered("/v1/x", HttpResponse("<h1>Oh no</h1>", status=status))
    assert (response.status_code, error_of(response)["code"]) == (status, code)


def test_it_keeps_the_other_headers() -> None:
    response = answered("/v1/x", HttpResponse("no", status=405, headers={"Allow": "POST"}))
    assert response["Allow"] == "POST"


@each(("path", "status"), [("/v1/x", 200), ("/admin/", 404), ("/v1x", 500)])
def test_it_leaves_everything_else_alone(path: str, status: int) -> None:
    response = HttpResponse("<p>", status=status)
    assert answered(path, response) is response


def test_it_leaves_errors_without_a_type_alone() -> None:
    response = HttpResponse(status=416)  # of static files, for a range that is not there
    del response["Content-Type"]
    assert answered("/static/icons/sprite.svg", response) is response


@each("method", ["get", "put", "patch", "delete", "trace", "options", "head"])
async def test_other_methods_are_refused_in_json(method: str) -> None:
    response = await getattr(AsyncClient(), method)("/v1/chat/completions")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert response["Content-Type"] == "application/json"


def test_it_also_serves_django_s_sync_side() -> None:
    assert error_of(Client().get("/v1/nothing"))["code"] == "not_found"
