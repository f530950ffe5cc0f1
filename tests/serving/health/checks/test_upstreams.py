import pytest
from django.test import override_settings

from inference.models import Upstream, UpstreamModel
from inference.serving import runtime
from inference.serving.health.checks.upstreams import check
from inference.storage import upstream_routes

pytestmark = pytest.mark.django_db


def test_one_whose_key_was_lost_is_found_and_a_failing_one_too() -> None:
    assert list(check()) == []
    row = Upstream.objects.create(name="one", base_url="http://gone/v1", sealed_key=upstream_routes.seal("k"))
    model = UpstreamModel.objects.create(upstream=row, model="big")
    assert [result.state for result in check()] == ["good"]
    with override_settings(SECRET_KEY="k" * 50):
        (lost,) = check()
        assert lost.state == "wrong" and "secret key has changed" in lost.text
        assert lost.link == f"/admin/inference/upstream/{row.pk}/change/"
    balancer, address = runtime.upstreams().balancer, upstream_routes.address_of(model)
    balancer.note_failure(address, "it cannot be reached")
    (failing,) = check()
    balancer.health_of(address).note_answer()
    assert failing.state == "look"
    assert failing.text == "one is failing: it cannot be reached; the next request asks it again."
