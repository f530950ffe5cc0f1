"""Cross-origin requests of allowed pages."""

from inference.api.http import cors
from tests.each import each

ALLOWED = ["https://chat.example", "app://"]


@each(
    ("path", "sent", "is_allowed"),
    [
        ("/v1/models", ["https://chat.example"], True),
        ("/v1/models", ["app://obsidian"], True),
        ("/v1/models", ["https://other.example"], False),
        ("/admin/", ["https://chat.example"], False),
        ("/v1/models", [], False),
        ("/v1/models", ["https://chat.example", "https://chat.example"], False),
    ],
)
def test_only_an_allowed_page_reaches_only_a_dialect(path: str, sent: list[str], is_allowed: bool) -> None:
    assert cors.is_allowed(path, sent, ALLOWED) == is_allowed


def test_a_preflight_names_its_method() -> None:
    wish = {"access-control-request-method": "POST"}
    assert cors.is_preflight("OPTIONS", wish)
    assert not cors.is_preflight("POST", wish) and not cors.is_preflight("OPTIONS", {})


def test_an_answer_allows_no_credentials() -> None:
    headers = dict(cors.answer_headers("https://chat.example"))
    assert headers[b"access-control-allow-origin"] == b"https://chat.example"
    assert headers[b"vary"] == b"Origin"
    assert b"access-control-allow-credentials" not in headers


def test_a_preflight_grants_the_headers_that_were_asked_for() -> None:
    asked = {"access-control-request-headers": "x-own", "access-control-request-private-network": "true"}
    headers = dict(cors.preflight_headers("https://chat.example", asked))
    assert headers[b"access-control-allow-headers"] == b"x-own"
    assert headers[b"access-control-allow-private-network"] == b"true"
    usual = dict(cors.preflight_headers("https://chat.example", {}))
    assert b"x-api-key" in usual[b"access-control-allow-headers"]
    assert b"access-control-allow-private-network" not in usual
