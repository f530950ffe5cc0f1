"""The last decisions about a model."""

from datetime import UTC, datetime

import pytest

from inference.admin.model_decisions import model_decisions
from inference.models import PoolEvent

pytestmark = pytest.mark.django_db


def test_the_newest_are_shown_with_a_link_to_all() -> None:
    assert model_decisions("org/one") == "None yet."
    for hour in range(7):
        at = datetime(2026, 1, 31, hour, tzinfo=UTC)
        PoolEvent.objects.create(kind="evicted", model="org/one", text=f"evicted <{hour}>", at=at)
    PoolEvent.objects.create(kind="loaded", model="other", text="loaded other", at=at)
    shown = model_decisions("org/one")
    assert "2026-01-31 06:00:00 UTC: Evicted &lt;6&gt;" in shown and "&lt;1&gt;" not in shown
    assert "?model=org%2Fone" in shown and "other" not in shown
