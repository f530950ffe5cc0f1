"""Every route of /api, for every kind of caller."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient

from inference.api.operator import token
from inference.api.operator.api import api
from inference.core.config import Config
from tests.api.openai.asking import error_of
from tests.api.operator.asking import ACTIONS, act, look
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
ROUTES = [*ACTIONS, "pool"]
CSRF = "x" * 32


async def ask(route: str, client: AsyncClient | None = None, **headers: str) -> Any:
    return await (look(client, **headers) if route == "pool" else act(route, client=client, **headers))


async def status(route: str, client: AsyncClient | None = None, **headers: str) -> int:
    return int((await ask(route, client, **headers)).status_code)


@pytest.fixture(autouse=True)
async def site() -> AsyncIterator[None]:
    with serving(FakeRunner()) as pool:
        yield
        await pool.close()


@pytest.fixture
def keyed(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")


def user(*rights: str, is_staff: bool = False) -> AsyncClient:
    """A browser in which somebody with these rights is signed in."""
    person = User.objects.create_user("ann", is_staff=is_staff)
    person.groups.clear()  # who looks after models need not be one who chats
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = AsyncClient(enforce_csrf_checks=True)
    client.force_login(person)
    client.cookies["mlxsite_csrf"] = CSRF
    return client


@pytest.fixture
def operator(keyed: None) -> AsyncClient:
    return user("run_servedmodel")


def test_the_matrix_has_every_route() -> None:
    paths = {f"/api/models/{action}" for action in ACTIONS} | {"/api/pool"}
    paths |= {"/api/quantisations", "/api/quantisations/cancel"}  # of other rights: test_quantisations.py
    paths |= {f"/api/gguf{rest}" for rest in ("", "/imports", "/imports/cancel")}  # and test_gguf.py
    paths |= {f"/api/gguf/uploads{rest}" for rest in ("", "/part", "/discard")}
    paths |= {"/api/usage", "/api/health", "/api/log"}  # test_page_permission.py has who may read these
    paths |= {"/api/requests", "/api/requests/{request_id}"}  # and these
    paths |= {"/api/downloads", "/api/downloads/cancel", "/api/downloads/discard"}  # and test_downloads.py
    paths |= {"/api/profiles", "/api/profiles/delete"}  # and test_profiles.py
    paths |= {f"/api/upstreams{rest}" for rest in ("", "/test", "/delete")}  # and test_upstreams.py
    paths |= {
        f"/api/models/{action}" for action in ("aliases", "reload", "test", "delete")
    }  # and test_models.py
    paths |= {"/api/models/settings", "/api/gguf/delete"}  # and test_model_settings.py and test_gguf.py
    paths |= {"/api/requests/active", "/api/requests/stop"}  # and test_active_requests.py
    paths |= {f"/api/captures{rest}" for rest in ("", "/stop", "/delete-text")}  # and test_captures.py
    paths |= {f"/api/keys{rest}" for rest in ("", "/renew", "/revoke")}  # and test_keys.py
    paths |= {"/api/accounts", "/api/accounts/role", "/api/accounts/active"}  # and test_accounts.py
    paths |= {"/api/connect", "/api/connect/{client}"}  # and test_connect.py
    paths |= {"/api/hub/models", "/api/hub/models/{model_id}", "/api/hub/recommended"}  # and test_hub.py
    assert set(api.get_openapi_schema()["paths"]) == paths


@pytest.mark.parametrize("route", ROUTES)
async def test_an_open_site_takes_whoever_is_on_this_machine(route: str) -> None:
    assert await status(route) == 200
    assert await status(route, Origin="http://testserver") == 200


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver:9"])
async def test_pages_of_other_sites_are_refused(route: str, origin: str) -> None:
    response = await ask(route, Origin=origin)
    assert (response.status_code, error_of(response)["code"]) == (403, "permission_denied")


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("route", ROUTES)
async def test_the_key_opens_and_no_other_does(route: str) -> None:
    assert await status(route, Authorization="Bearer sesame") == 200
    response = await ask(route, Authorization="Bearer wrong")
    assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_is_401(route: str) -> None:
    response = await ask(route)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("route", ROUTES)
async def test_a_token_of_this_site_opens(route: str) -> None:
    assert await status(route, Authorization=f"Bearer {token.make()}") == 200


@pytest.mark.parametrize("route", ROUTES)
async def test_a_user_with_the_right_opens(route: str, operator: AsyncClient) -> None:
    assert await status(route, operator, **{"X-CSRFToken": CSRF}) == 200


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_user_without_the_csrf_token_or_from_elsewhere_is_403(
    action: str, operator: AsyncClient
) -> None:
    assert await status(action, operator) == 403
    assert await status(action, operator, **{"X-CSRFToken": CSRF, "Origin": "http://evil.example"}) == 403


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("rights", "is_staff", "may_look"),
    [((), False, False), ((), True, False), (("view_servedmodel",), False, True)],
)
async def test_a_user_without_the_right_only_looks(
    route: str, rights: tuple[str, ...], is_staff: bool, may_look: bool, transactional_db: None
) -> None:
    client = await sync_to_async(user)(*rights, is_staff=is_staff)
    allowed = route == "pool" and may_look
    assert await status(route, client, **{"X-CSRFToken": CSRF}) == (200 if allowed else 403)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_wrong_key_is_not_saved_by_a_session(route: str, operator: AsyncClient) -> None:
    assert await status(route, operator, **{"Authorization": "Bearer wrong", "X-CSRFToken": CSRF}) == 401
