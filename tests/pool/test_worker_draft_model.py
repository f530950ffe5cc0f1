"""A worker with a draft model: what it reports, and that its answers stay what they were."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from inference.core.events import Finished, TextDelta
from inference.core.load_progress import LoadProgress
from inference.core.pool_state import Loaded
from inference.core.requests import TokenRules
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.nightly import of_each_kind
from tests.pool.worker_models import OPTIONS, ask, chat
from tests.tiny import SPECIAL, make_tiny_model

pytestmark = pytest.mark.mlx


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


async def served(folder: Path, **chosen: Any) -> tuple[Loaded, list[LoadProgress], str, Finished]:
    """What the worker reported, the progress of its load, what it answered, and how that ended."""
    runner, reports = ProcessRunner(OPTIONS), list[LoadProgress]()
    chosen = {"speculation": "lookup"} | chosen
    loaded = await runner.load(card(path=str(folder), **chosen), reports.append)
    request = chat("Say something.", max_tokens=60, rules=TokenRules(min_tokens=60))
    events = await ask(runner, request)
    await runner.stop()
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    (finished,) = (event for event in events if isinstance(event, Finished))
    return loaded, reports, text, finished


async def test_a_draft_model_drafts_and_the_text_stays_the_same(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    plain, _, text, _ = await served(folder, speculation="off")
    loaded, reports, same_text, finished = await served(folder, draft_model="copy", draft_path=str(copy))
    assert (plain.draft_model, loaded.draft_model) == ("", "copy")
    assert loaded.kv_bytes_per_token == 2 * plain.kv_bytes_per_token
    assert same_text == text
    percents = [one.percent for one in reports]
    assert percents == sorted(percents) and percents[-1] == 100
    assert (reports[0].phase, reports[-1].phase) == ("starting", "draft")
    assert finished.usage.drafted_tokens
    assert not [one for one in loaded.findings if one.about == "speculation"]


def broken(folder: Path) -> Path:
    (folder / "model.safetensors").write_bytes(b"no weights")
    return folder


def coded(folder: Path) -> Path:
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace("{", '{"auto_map": {"AutoModel": "x.Y"},', 1))
    return folder


FAULTS = [
    ("another vocabulary", "its vocabulary is another one"),
    ("broken", "its files cannot be read"),
    ("coded", "its own code"),
    ("missing", "no model of that name"),
    ("deleted", "a file of the model is missing"),
]


# What is wrong with the files of a model is worded in tests/worker/model/test_load_failure.py.
@pytest.mark.parametrize(("kind", "reason"), of_each_kind(FAULTS, [FAULTS[0], FAULTS[2]]))
async def test_what_cannot_draft_is_named_and_the_model_answers(
    folder: Path, tmp_path: Path, kind: str, reason: str
) -> None:
    other = tmp_path / "other"
    if kind == "another vocabulary":
        make_tiny_model(other, special=(*SPECIAL[:-1], "<|other|>"))
    elif kind != "deleted":
        shutil.copytree(folder, other)
    {"broken": broken, "coded": coded}.get(kind, lambda same: same)(other)
    path = "" if kind == "missing" else str(other)
    loaded, _, text, _ = await served(folder, draft_model="other", draft_path=path)
    (finding,) = (one for one in loaded.findings if one.about == "speculation")
    assert finding.light == "amber" and reason in finding.text
    assert loaded.draft_model == "" and text


async def test_nothing_is_loaded_for_a_model_without_drafts(folder: Path) -> None:
    loaded, _, _, _ = await served(folder, speculation="off", draft_model="tiny", draft_path=str(folder))
    assert loaded.draft_model == "" and not [one for one in loaded.findings if one.about == "speculation"]
