import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory

from inference.api.http import disconnects


def request(scope: dict[str, object]) -> HttpRequest:
    made: HttpRequest = AsyncRequestFactory().get("/")
    made.scope.update(scope)  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("ending", [None, RuntimeError])
def test_it_calls_back_however_the_request_ends(ending: type[Exception] | None) -> None:
    called: list[str] = []

    def serve() -> None:
        with disconnects.watched({"type": "http"}) as scope:
            disconnects.at_end(request(scope), lambda: called.append("over"))
            assert not called
            if ending:
                raise ending

    if ending:
        with pytest.raises(ending):
            serve()
    else:
        serve()
    assert called == ["over"]


def test_it_does_nothing_without_a_server_around_it() -> None:
    disconnects.at_end(HttpRequest(), lambda: pytest.fail("nobody knows when this request ends"))


def test_a_callback_added_after_the_end_is_called_at_once() -> None:
    called: list[str] = []
    with disconnects.watched({"type": "http"}) as scope:
        late = request(scope)
    disconnects.at_end(late, lambda: called.append("over"))
    assert called == ["over"]
