from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from inference.core.config import Config
from tests.api.openai.asking import chat_body, error_of, post
from tests.each import each
from tests.fakes import FakeRunner, serving


@pytest.fixture
def keyed(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")


async def ask(**headers: str) -> Any:
    with serving(FakeRunner()):
        return await post("/v1/chat/completions", chat_body(), headers=headers)


async def test_an_open_site_takes_any_key() -> None:
    assert (await ask(Authorization="Bearer anything")).status_code == 200


@each("origin", ["http://evil.example", "null", "http://testserver:9"])
async def test_an_open_site_refuses_pages_of_other_sites(origin: str) -> None:
    response = await ask(Origin=origin)
    assert (response.status_code, error_of(response)["code"]) == (403, "permission_denied")


async def test_an_open_site_takes_its_own_pages() -> None:
    assert (await ask(Origin="http://testserver")).status_code == 200


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("authorization", ["Bearer sesame", "bearer sesame", "Bearer  sesame "])
async def test_the_key_opens(authorization: str) -> None:
    assert (await ask(Authorization=authorization)).status_code == 200


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "sesame",
        "Basic sesame",
        "Token sesame",
        "Bearer sesame2",
        "Bearer 'x\x00é",
    ],
)
async def test_every_other_authorization_is_401_and_never_falls_through(authorization: str) -> None:
    response = await ask(Authorization=authorization)
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.usefixtures("keyed")
async def test_nobody_is_401() -> None:
    assert (await ask()).status_code == 401


@pytest.mark.usefixtures("keyed")
async def test_a_key_that_is_not_ascii_works(settings: Any) -> None:
    settings.CONFIG = Config(api_key="schlüssel")
    assert (await ask(Authorization="Bearer " + "schlüssel".encode().decode("latin-1"))).status_code == 200


@pytest.fixture
def signed_in(keyed: None, transactional_db: None) -> AsyncClient:
    client = AsyncClient(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("ann"))
    return client


async def with_token(client: AsyncClient, **headers: str) -> Any:
    await client.get("/admin/login/")
    token = client.cookies["mlxsite_csrf"].value if "mlxsite_csrf" in client.cookies else "x" * 32
    client.cookies["mlxsite_csrf"] = token
    with serving(FakeRunner()):
        return await client.post(
            "/v1/chat/completions",
            '{"model": "tiny", "messages": [{"role": "user", "content": "x"}]}',
            content_type="application/json",
            headers={"X-CSRFToken": token} | headers,
        )


async def test_a_session_with_its_csrf_token_opens(signed_in: AsyncClient) -> None:
    assert (await with_token(signed_in)).status_code == 200


async def test_a_session_reads_without_a_token(signed_in: AsyncClient) -> None:
    with serving(FakeRunner()):
        assert (await signed_in.get("/v1/models")).status_code == 200


async def test_a_session_without_its_csrf_token_is_refused(signed_in: AsyncClient) -> None:
    response = await with_token(signed_in, **{"X-CSRFToken": "wrong"})
    assert (response.status_code, error_of(response)["code"]) == (403, "permission_denied")


async def test_a_session_used_by_another_sites_page_is_refused(signed_in: AsyncClient) -> None:
    assert (await with_token(signed_in, Origin="http://evil.example")).status_code == 403


async def test_a_wrong_key_is_not_saved_by_a_session(signed_in: AsyncClient) -> None:
    response = await with_token(signed_in, Authorization="Bearer wrong")
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")


async def test_a_disabled_user_is_nobody(signed_in: AsyncClient) -> None:
    await User.objects.filter(username="ann").aupdate(is_active=False)
    assert (await with_token(signed_in)).status_code == 401


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "sesame"},
        {"x-api-key": " sesame "},
        {"x-api-key": "sesame", "Authorization": ""},
        {"x-api-key": "sesame", "Authorization": "Bearer "},
        {"x-api-key": "sesame", "Authorization": "Basic YTpi"},
        {"x-api-key": "", "Authorization": "Bearer sesame"},
        {"x-api-key": "another server's", "Authorization": "Bearer sesame"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_anthropics_header_opens_every_dialect(path: str, headers: dict[str, str]) -> None:
    with serving(FakeRunner()):
        response = await post(path, chat_body(max_tokens=5), headers=headers)
    assert response.status_code == 200


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": ""},
        {"x-api-key": "wrong"},
        {"x-api-key": "sesame", "Authorization": "Bearer wrong"},
        {"x-api-key": "", "Authorization": "Bearer "},
    ],
)
async def test_an_empty_header_is_no_key_and_a_wrong_one_opens_nothing(headers: dict[str, str]) -> None:
    assert (await ask(**headers)).status_code == 401


async def test_a_wrong_header_of_anthropics_is_not_saved_by_a_session(signed_in: AsyncClient) -> None:
    assert (await with_token(signed_in, **{"x-api-key": "wrong"})).status_code == 401
    assert (await with_token(signed_in, **{"x-api-key": ""})).status_code == 200
