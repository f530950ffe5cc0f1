"""The edge of the site behind a proxy that ends TLS."""

from django.test import override_settings

from inference.core.config import Config
from tests.each import each
from tests.mlxsite.test_edge import client

BEHIND_TLS = Config(origins="https://llm.example", api_key="a key for the tests")


@each(
    ("host", "origin", "status"),
    [
        (
            "llm.example",
            "https://llm.example",
            403,
        ),
        ("LLM.example", "https://llm.example", 403),
        ("llm.example", "http://llm.example", 403),
        ("llm.example:8443", "https://llm.example:8443", 403),
        ("evil.example", "https://evil.example", 400),
    ],
)
async def test_a_page_behind_a_tls_proxy_is_the_sites_own(host: str, origin: str, status: int) -> None:
    with override_settings(CONFIG=BEHIND_TLS, ALLOWED_HOSTS=BEHIND_TLS.hosts):
        async with client() as web:
            response = await web.post("/login/", headers={"Host": host, "Origin": origin})
    assert response.status_code == status
    is_own = (host.lower(), origin) == (
        "llm.example",
        "https://llm.example",
    )  # only its CSRF token is missing
    assert ("page of another site" in response.text) == (status == 403 and not is_own)


async def test_no_header_of_a_proxy_is_believed() -> None:
    with override_settings(CONFIG=BEHIND_TLS, ALLOWED_HOSTS=BEHIND_TLS.hosts):
        async with client() as web:
            headers = {
                "X-Forwarded-Proto": "https",
                "Forwarded": "proto=https",
                "X-Forwarded-Host": "llm.example",
            }
            plain = await web.get("/login/", headers=headers)
            secure = await web.get("/login/", headers={"Host": "llm.example"})
    assert "Strict-Transport-Security" not in plain.headers
    assert "Strict-Transport-Security" in secure.headers
