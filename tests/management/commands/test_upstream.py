"""`manage.py upstream`; with a real server it is tests/e2e/test_upstreams.py."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inference.models import Upstream
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
GONE = "http://127.0.0.1:1/v1"


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    with serving(FakeRunner()):
        yield


def upstream(*args: str) -> str:
    out = StringIO()
    call_command("upstream", *args, stdout=out)
    return out.getvalue().strip()


def test_one_is_added_listed_tested_and_removed(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    added = upstream(
        *("add", "one", GONE, "--model", "big=org/big", "--model", "small", "--engine", "vllm"),
        *("--context", "4096", "--key-file", str(tmp_path / "key")),
    )
    assert added.splitlines() == [
        "Saved one with big, small.",
        "The upstream one does not answer: it cannot be reached.",
    ]
    row = Upstream.objects.get()
    assert row.sealed_key and "s3cret" not in row.sealed_key
    assert [(one.model, one.name_there, one.context_length) for one in row.models.all()] == [
        ("big", "org/big", 4096),
        ("small", "small", 4096),
    ]
    assert [line.split() for line in upstream("list").splitlines()[1:]] == [
        ["one", GONE, "vllm", "big", "enabled"],
        ["one", GONE, "vllm", "small", "enabled"],
    ]
    assert upstream("test", "one") == "The upstream one does not answer: it cannot be reached."
    assert upstream("remove", "one") == "Removed one."
    assert upstream("list") == "There are no upstreams; `upstream add` adds one."


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("test", "nobody"), "There is no upstream 'nobody'"),
        (("remove", "nobody"), "There is no upstream 'nobody'"),
        (("add", "one", "ftp://x", "--model", "big"), "it begins with http"),
        (("add", "one", GONE, "--model", "big", "--key-file", "/nowhere"), "The key cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(args: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        upstream(*args)
