import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from mlxsite.static_files import static_files

STYLES = "/static/css/base.css"


async def elsewhere(request: HttpRequest) -> HttpResponse:
    return HttpResponse(threading.current_thread().name)


@pytest.fixture(scope="module")
def served() -> Any:
    return static_files(elsewhere)


async def test_it_serves_a_static_file(served: Any) -> None:
    response = await served(AsyncRequestFactory().get(STYLES))
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/css")


async def test_a_part_and_what_the_browser_has_already(served: Any) -> None:
    whole = await served(AsyncRequestFactory().get(STYLES))
    part = await served(AsyncRequestFactory().get(STYLES, headers={"range": "bytes=2-9"}))
    assert (part.status_code, part.content) == (206, whole.content[2:10])
    known = await served(AsyncRequestFactory().get(STYLES, headers={"if-none-match": whole["ETag"]}))
    assert (known.status_code, known.content, "Content-Type" in known) == (304, b"", False)
    beyond = await served(AsyncRequestFactory().get(STYLES, headers={"range": "bytes=9999999-"}))
    assert beyond.status_code == 416
    refused = await served(AsyncRequestFactory().post(STYLES))
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


async def test_what_is_no_file_of_ours_goes_on(served: Any) -> None:
    response = await served(AsyncRequestFactory().get("/static/no-such-file.css"))
    assert response.content.decode() == threading.current_thread().name


async def test_every_other_request_stays_in_its_thread(served: Any) -> None:
    response = await served(AsyncRequestFactory().get("/v1/models"))
    assert response.content.decode() == threading.current_thread().name


def test_it_serves_below_wsgi_too() -> None:
    response = static_files(lambda request: HttpResponse("elsewhere"))(RequestFactory().get(STYLES))
    assert response.status_code == 200
