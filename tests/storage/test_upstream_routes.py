from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from inference.core.upstream import Address
from inference.models import Upstream, UpstreamModel
from inference.storage import upstream_routes

pytestmark = pytest.mark.django_db(transaction=True)


def upstream(name: str, key: str = "", **fields: Any) -> Upstream:
    sealed = upstream_routes.seal(key)
    return Upstream.objects.create(name=name, base_url=f"http://{name}:8000/v1", sealed_key=sealed, **fields)


def allow(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    monkeypatch.setattr(
        settings, "CONFIG", settings.CONFIG.model_copy(update={"upstream_hosts": ",".join(hosts)})
    )


def test_a_model_has_the_addresses_of_all_its_upstreams_and_their_least() -> None:
    one, two = upstream("one", "s3cret", engine="vllm"), upstream("two")
    UpstreamModel.objects.create(
        upstream=one, model="big", name="org/big", context_length=9000, most_streams=3
    )
    UpstreamModel.objects.create(
        upstream=two, model="big", context_length=4000, most_streams=4, takes_tools=False
    )
    (route,) = upstream_routes.read()
    assert (route.model, route.context_length, route.most_streams, route.takes_tools) == (
        "big",
        4000,
        7,
        False,
    )
    first, second = route.addresses
    assert (first.base_url, first.model, first.engine) == ("http://one:8000/v1", "org/big", "vllm")
    assert first.key.get_secret_value() == "s3cret" and "s3cret" not in repr(route)
    assert (second.model, second.key.get_secret_value()) == ("big", "")
    assert "s3cret" not in str(Upstream.objects.values())


def test_one_that_is_disabled_or_not_allowed_or_lost_its_key_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = upstream("one", "s3cret"), upstream("two", is_enabled=False)
    for row in (one, two):
        UpstreamModel.objects.create(upstream=row, model="big")

    def asked() -> tuple[str, ...]:
        addresses: tuple[Address, ...] = upstream_routes.read()[0].addresses
        return tuple(address.upstream for address in addresses)

    assert asked() == ("one",)
    with override_settings(SECRET_KEY="k" * 50):
        (route,) = upstream_routes.read()
        assert route.addresses == () and "two: it is disabled" in route.problem
        assert "its key cannot be read, because this site's secret key has changed" in route.problem
    for hosts, is_allowed in (("one", True), ("one:8000", True), ("one:9000", False), ("two", False)):
        allow(monkeypatch, hosts)
        assert asked() == (("one",) if is_allowed else ())
    assert upstream_routes.read()[0].problem.startswith("one: one:8000 is not in MLX_SERVER_UPSTREAM_HOSTS")


def test_one_upstream_without_a_limit_leaves_the_sites_own() -> None:
    for name, most in (("one", 5), ("two", 0)):
        UpstreamModel.objects.create(upstream=upstream(name), model="big", most_streams=most)
    assert upstream_routes.read()[0].most_streams == 0
