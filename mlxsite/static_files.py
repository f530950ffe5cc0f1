"""WhiteNoise for the URLs below STATIC_URL only."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]


@sync_and_async_middleware
def static_files(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Serve static files, and pass every other request on in its own task.

    WhiteNoise's middleware is synchronous: Django would run it, and everything after it, from a thread, and
    would then not notice a client that disconnects meanwhile.
    """
    if not iscoroutinefunction(get_response):
        middleware: Callable[[HttpRequest], Any] = WhiteNoiseMiddleware(get_response)
        return middleware
    find_file = sync_to_async(WhiteNoiseMiddleware(lambda request: None))

    async def answer(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase | None = None
        if request.path_info.startswith(settings.STATIC_URL):
            response = await find_file(request)
        return response or await get_response(request)

    return answer
