"""WhiteNoise for the URLs below STATIC_URL only."""

import functools
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]


@sync_and_async_middleware
def static_files(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Serve static files, and pass every other request on in its own task.

    WhiteNoise's middleware is synchronous: Django would run it, and everything after it, from a thread, and
    would then not notice a client that disconnects meanwhile.
    """
    find = _finder()
    if not iscoroutinefunction(get_response):
        return lambda request: _found(find, request) or get_response(request)

    async def answer(request: HttpRequest) -> HttpResponseBase:
        return _found(find, request) or await get_response(request)

    return answer


@functools.cache
def _finder() -> Callable[[str], Any]:
    """How WhiteNoise finds the file of a path; it lists some hundred files, so once in a process."""
    whitenoise = WhiteNoiseMiddleware(lambda request: HttpResponseNotFound())
    find: Callable[[str], Any] = whitenoise.find_file if whitenoise.autorefresh else whitenoise.files.get
    return find


def _found(find: Callable[[str], Any], request: HttpRequest) -> HttpResponse | None:
    path = request.path_info
    file = find(path) if path.startswith(settings.STATIC_URL) else None
    return None if file is None else _whole(file, request)


def _whole(found: Any, request: HttpRequest) -> HttpResponse:
    """The response with the file's bytes in it.

    The files are small and local, and a page has eighty. Django would start a thread for each and read it in
    parts from there, which takes a quarter more processor time.
    """
    made = found.get_response(request.method, request.META)
    body = b""
    if made.file is not None:
        with made.file as file:
            body = file.read()
    response = HttpResponse(body, status=int(made.status))
    del response["Content-Type"]  # Django's own guess
    for name, value in made.headers:
        response[name] = value
    return response
