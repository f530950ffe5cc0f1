"""`manage.py search`."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from inference.serving import runtime
from inference.serving.discovery import hub_models, suggested_models
from tests.fakes import fake_pool
from tests.repository.discovery.hub_answers import QWEN, entry
from tests.repository.hub import REPO, SEARCH, FakeHub, Refusal


@pytest.fixture(autouse=True)
def pool() -> Iterator[None]:
    hub_models.forget()
    with runtime.use_pool(fake_pool([])):
        yield


def run(*args: str, **options: Any) -> str:
    printed = StringIO()
    call_command("search", *args, stdout=printed, stderr=StringIO(), **options)
    return printed.getvalue()


def test_models_are_a_table_with_a_verdict_each(hub: FakeHub) -> None:
    hub.results = [entry(REPO), entry()]
    printed = run("qwen", "4b", "--sort", "date", "--limit", "5")
    head, first, second, last = printed.splitlines()
    assert head.startswith("MODEL") and "pull OWNER/NAME" in last
    assert first.split()[:5] == [REPO, "2.0", "GB", "4bit", "123,456"]
    assert first.endswith("Fits, with its whole context of 2,048 tokens.")
    assert f"The hub has no model {QWEN}" in second
    assert "search=qwen+4b&filter=mlx&sort=lastModified&limit=5" in hub.searches[0]


def test_all_models_can_be_searched_and_nothing_may_be_found(hub: FakeHub) -> None:
    assert "No models found" in run("zzz", "--all")
    assert "filter=safetensors" in hub.searches[0]


def test_what_is_wrong_is_said(hub: FakeHub) -> None:
    hub.refusals[SEARCH] = [Refusal(500)]
    with pytest.raises(CommandError, match="internal problem"):
        run("qwen")
    with pytest.raises(CommandError, match="from 1 to 100"):
        run("qwen", "--limit", "0")


def test_without_words_it_recommends_some_and_asks_no_hub(hub: FakeHub) -> None:
    head, *rows = run().splitlines()
    assert head.startswith("MODEL") and len(rows) == len(suggested_models.SUGGESTED)
    assert rows[0].startswith(suggested_models.SUGGESTED[0].id) and hub.searches == []
