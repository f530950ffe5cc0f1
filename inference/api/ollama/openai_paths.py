"""OpenAI's API below Ollama's prefix: Ollama's servers have both, and clients find both below one base.

https://github.com/ollama/ollama/blob/main/docs/openai.md
"""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from inference.api.http import dialects

GetResponse = Callable[[HttpRequest], HttpResponseBase]
AsyncGetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def openai_paths(get_response: GetResponse | AsyncGetResponse) -> GetResponse | AsyncGetResponse:
    """Serve `/ollama/v1/...` as `/v1/...`, so that nothing after it has to know both."""
    if iscoroutinefunction(get_response):
        answer_async = cast(AsyncGetResponse, get_response)

        async def in_async(request: HttpRequest) -> HttpResponseBase:
            _rewrite(request)
            return await answer_async(request)

        return in_async
    answer = cast(GetResponse, get_response)

    def in_sync(request: HttpRequest) -> HttpResponseBase:
        _rewrite(request)
        return answer(request)

    return in_sync


def _rewrite(request: HttpRequest) -> None:
    request.path = request.path_info = dialects.served_path(request.path_info)
