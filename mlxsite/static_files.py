"""WhiteNoise, asked only for what lies below STATIC_URL."""

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
    """Serve static files, and let every other request go on in the task it came in.

    WhiteNoise's own middleware is synchronous, so Django would run it in a thread and all that lies behind it
    from there: a client that left while its request was on that way was not noticed, and its answer made.
    """
    if not iscoroutinefunction(get_response):
        whole: Callable[[HttpRequest], Any] = WhiteNoiseMiddleware(get_response)
        return whole
    found = sync_to_async(WhiteNoiseMiddleware(lambda request: None))

    async def answer(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase | None = None
        if request.path_info.startswith(settings.STATIC_URL):
            response = await found(request)
        return response or await get_response(request)

    return answer
