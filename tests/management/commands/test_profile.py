from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inference.core.model_card import LoraCard
from inference.models import ModelProfile
from tests.fakes import FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(
        FakeRunner(), cards=[card("tiny", loras=(LoraCard(name="pirate", path="/p"),)), card("large")]
    ):
        yield


def profile(*args: str) -> str:
    out = StringIO()
    call_command("profile", *args, stdout=out)
    return out.getvalue().strip()


def test_one_is_saved_listed_and_deleted() -> None:
    options = ("--option", "enable_thinking=false", "--option", "style=brief")
    saved = profile("tiny", "terse", "--system", "Be terse.", "--temperature", "0", "--top-k", "5", *options)
    settings = "system=Be terse.  temperature=0.0  top_k=5"
    line = f"tiny:terse  {settings}  template_options={{'enable_thinking': False, 'style': 'brief'}}"
    assert saved == f"Saved {line}"
    profile("large", "calm")
    assert (profile("tiny"), profile()) == (line, f"large:calm\n{line}")
    assert profile("tiny", "terse", "--delete") == "Deleted tiny:terse."
    assert profile() == "large:calm"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("nobody", "x"), "There is no model 'nobody' here"),
        (("tiny:pirate", "x"), "tiny:pirate is an adapter.*name tiny"),
        (("tiny", "a b"), "A name has only letters"),
        (("tiny", "x", "--temperature", "3"), "less than or equal to 2"),
        (("tiny", "x", "--option", "thinking"), "'thinking' is not NAME=VALUE"),
        (("tiny", "x", "--delete"), "There is no profile tiny:x"),
        (("tiny", "--temperature", "0"), "Name the profile, too"),
        (("tiny", "--delete"), "Name the profile, too"),
    ],
)
def test_what_cannot_be_is_one_line(args: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        profile(*args)
    assert not ModelProfile.objects.exists()
