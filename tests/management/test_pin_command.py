"""Pinning while no site runs."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from inference.models import ServedModel
from inference.serving.site_lock import locked
from tests.fakes import card, serving
from tests.management.test_client import free_port

pytestmark = pytest.mark.django_db


def call(*arguments: str) -> str:
    out = StringIO()
    with serving(cards=[card("org/tiny")]):
        call_command(*arguments, "--port", str(free_port()), stdout=out)
    return out.getvalue()


def test_a_pin_is_written_for_the_next_start() -> None:
    printed = call("pin", "org/tiny")
    assert printed == "No site is running; this applies when it starts.\norg/tiny is pinned.\n"
    assert ServedModel.objects.get(name="org/tiny").is_pinned


def test_unpinning_leaves_the_other_choices() -> None:
    ServedModel.objects.create(name="org/tiny", is_pinned=True, aliases=["x"])
    call("unpin", "org/tiny")
    model = ServedModel.objects.get(name="org/tiny")
    assert (model.is_pinned, model.aliases) == (False, ["x"])


def test_nothing_is_written_behind_the_back_of_a_site_that_runs() -> None:
    with locked(settings.CONFIG.data_dir) as place:
        place.listens("127.0.0.1", 9)
        with pytest.raises(CommandError, match="No site can be reached"):
            call("pin", "org/tiny")
    assert not ServedModel.objects.exists()


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no model 'none'"):
        call("pin", "none")
    assert not ServedModel.objects.exists()
