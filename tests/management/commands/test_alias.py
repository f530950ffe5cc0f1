from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inference.management.client import NotRunning
from inference.management.commands import alias
from inference.models import ServedModel
from tests.fakes import FakeRunner, card, serving
from tests.management.fake_site import run
from tests.management.in_process_site import InProcessSite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(FakeRunner(), cards=[card("tiny"), card("large")]):
        yield


def offline(*arguments: str) -> str:
    out = StringIO()
    call_command("alias", *arguments, stdout=out)
    return out.getvalue().strip()


def test_they_are_listed_added_and_removed_through_the_running_site() -> None:
    site = InProcessSite()
    assert run(alias.Command, site, "tiny") == "tiny: no aliases\n"
    assert run(alias.Command, site, "tiny", "small", "claude-*") == "tiny: small, claude-*\n"
    assert run(alias.Command, site, "tiny", "small", "t") == "tiny: small, claude-*, t\n"
    assert run(alias.Command, site, "tiny", "small", "t", "--remove") == "tiny: claude-*\n"
    with pytest.raises(CommandError, match="'claude-\\*' already names another model"):
        run(alias.Command, site, "large", "--agents")


def test_without_a_site_they_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*args: object) -> None:
        raise NotRunning("No site is running.")

    monkeypatch.setattr(alias.Command, "client", nothing)
    assert offline("large", "--agents") == "large: opus, sonnet, haiku, claude-*, gpt-*"
    assert ServedModel.objects.get(name="large").aliases[0] == "opus"
    with pytest.raises(CommandError, match="already names another model"):
        offline("tiny", "opus")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nobody",), "There is no model 'nobody'"),
        (("tiny", "--remove"), "Name the aliases"),
        (("tiny", "x", "--remove"), "x is no alias"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], text: str) -> None:
    with pytest.raises(CommandError, match=text):
        offline(*arguments)
