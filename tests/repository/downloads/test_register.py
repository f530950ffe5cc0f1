import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.repository.downloads.errors import FetchFailed, NotAnId, TakenAlready, ThereAlready
from inference.repository.downloads.register import MOST_AT_ONCE, Downloads
from inference.repository.files import staging
from tests.repository.hub import LISTING, REPO, FakeHub, Refusal
from tests.tiny import make_tiny_model

WEIGHTS = "model.safetensors"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def was_done() -> threading.Event:
    return threading.Event()


@pytest.fixture
def downloads(
    hub: FakeHub, models: Path, was_done: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Downloads]:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    downloads = Downloads(models, on_done=was_done.set)
    yield downloads
    downloads.close()


def until(downloads: Downloads, fits: Callable[[ActiveDownload], bool], name: str = REPO) -> ActiveDownload:
    """The download once it is as wanted."""
    end = time.monotonic() + 30
    while True:
        found = [one for one in downloads.all() if one.id == name]
        if found and fits(found[0]):
            return found[0]
        assert time.monotonic() < end, found
        time.sleep(0.02)


def has_ended(download: ActiveDownload) -> bool:
    return not download.is_running


def has_begun(download: ActiveDownload) -> bool:
    return download.progress.done > 0


def writers() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [
        child for child in children if "inference.repository.downloads.process" in " ".join(child.cmdline())
    ]


def test_a_model_is_fetched_and_announced(
    downloads: Downloads, models: Path, hub: FakeHub, was_done: threading.Event
) -> None:
    assert downloads.known() == ()
    assert downloads.start(REPO).is_running and downloads.known()[0].is_running
    ended = until(downloads, has_ended)
    assert (ended.state, ended.message) == (DownloadState.DONE, "It is ready.")
    assert [(one.id, one.state) for one in downloads.known()] == [(REPO, DownloadState.DONE)]
    assert ended.progress.done == ended.progress.size > 0 and was_done.wait(10)
    assert {path.name for path in (models / REPO).iterdir()} == set(hub.files)


def test_a_second_request_joins(downloads: Downloads, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    begun = until(downloads, has_begun)
    assert downloads.start(REPO).began_at == begun.began_at
    assert len(writers()) == 1 and len(downloads.all()) == 1


def test_many_requests_at_once_are_one_writer(downloads: Downloads, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    threads = [threading.Thread(target=downloads.start, args=(REPO,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(writers()) == 1


def test_a_cancelled_one_has_no_writer_and_goes_on_later(downloads: Downloads, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    until(downloads, lambda one: WEIGHTS in hub.asked)
    downloads.cancel(REPO)
    assert writers() == []
    ended = until(downloads, has_ended)
    assert ended.state is DownloadState.CANCELLED and "resume the download to continue" in ended.message
    hub.holds_after.clear()
    hub.got.clear()
    downloads.start(REPO)
    assert until(downloads, has_ended).state is DownloadState.DONE and hub.asked == [WEIGHTS]


def test_a_stalled_one_shows_no_speed(
    downloads: Downloads, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.repository.downloads.register._SILENT_S", 0.3)
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    until(downloads, lambda one: one.progress.bytes_per_s > 0)
    assert until(downloads, lambda one: one.progress.bytes_per_s == 0).is_running


def test_cancelling_nothing_is_well_done(downloads: Downloads) -> None:
    assert not downloads.cancel(REPO) and not downloads.discard(REPO)
    assert downloads.all() == ()


def test_a_failure_is_shown_as_a_sentence(downloads: Downloads, hub: FakeHub) -> None:
    hub.refusals[LISTING] = [Refusal(403, {"X-Error-Code": "GatedRepo"})]
    downloads.start(REPO)
    ended = until(downloads, has_ended)
    assert ended.state is DownloadState.FAILED and "Accept its licence" in ended.message
    downloads.start(REPO)
    assert until(downloads, has_ended).state is DownloadState.DONE


def test_a_killed_writer_is_reported(downloads: Downloads, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    until(downloads, has_begun)
    writers()[0].kill()
    ended = until(downloads, has_ended)
    assert ended.state is DownloadState.FAILED and "ended unexpectedly" in ended.message


def test_what_an_earlier_site_left_can_be_resumed_and_discarded(downloads: Downloads, models: Path) -> None:
    draft = staging.draft_of(models / REPO)
    draft.mkdir(parents=True)
    (draft / "config.json").write_bytes(bytes(20_000_000))
    (left,) = downloads.all()
    assert (left.id, left.state) == (REPO, DownloadState.INTERRUPTED) and "0.02 GB" in left.message
    downloads.discard(REPO)
    assert downloads.all() == () and not draft.exists()


def test_what_another_program_fetches_is_left_to_it(downloads: Downloads, models: Path) -> None:
    with staging.staged(models / REPO, keeps_draft=True):
        assert [one.state for one in downloads.all()] == [DownloadState.ELSEWHERE]
        with pytest.raises(TakenAlready):
            downloads.start(REPO)
        with pytest.raises(TakenAlready):
            downloads.discard(REPO)


def test_a_running_one_is_not_discarded(downloads: Downloads, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    until(downloads, has_begun)
    with pytest.raises(TakenAlready):
        downloads.discard(REPO)
    assert len(writers()) == 1


def test_a_failed_one_that_left_nothing_is_forgotten(downloads: Downloads, hub: FakeHub) -> None:
    hub.refusals[LISTING] = [Refusal(404)]
    downloads.start(REPO)
    until(downloads, has_ended)
    downloads.discard(REPO)
    assert downloads.all() == ()


def test_what_is_there_is_not_fetched(downloads: Downloads, models: Path) -> None:
    (models / REPO).mkdir(parents=True)
    with pytest.raises(ThereAlready):
        downloads.start(REPO)
    assert writers() == [] and downloads.all() == ()


@pytest.mark.parametrize("name", ["tiny", "../x/y", "https://huggingface.co/a/b", ""])
def test_only_an_id_is_taken(downloads: Downloads, name: str) -> None:
    with pytest.raises(NotAnId):
        downloads.start(name)


@pytest.mark.parametrize("name", ["../x", "../x/y", "a/b/c", ".", "..", ""])
def test_only_a_name_is_discarded(downloads: Downloads, name: str) -> None:
    with pytest.raises(NotAnId):
        downloads.discard(name)


def test_beside_a_model_that_came_another_way_the_beginning_can_be_discarded(
    downloads: Downloads, models: Path, hub: FakeHub
) -> None:
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    until(downloads, has_begun)
    downloads.cancel(REPO)
    make_tiny_model(models / REPO)
    (left,) = downloads.all()
    assert left.state is DownloadState.LEFT and "The model is there, and beside it 0.00 GB" in left.message
    downloads.discard(REPO)
    assert not staging.draft_of(models / REPO).exists() and (models / REPO / WEIGHTS).exists()
    assert Downloads(models, on_done=lambda: None).all() == ()


def test_what_another_program_finished_is_there(downloads: Downloads, models: Path, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    until(downloads, has_begun)
    downloads.cancel(REPO)
    with staging.staged(models / REPO, keeps_draft=True):
        assert [one.state for one in downloads.all()] == [DownloadState.ELSEWHERE]
    assert [(one.state, one.message) for one in downloads.all()] == [(DownloadState.DONE, "It is ready.")]


def test_what_a_killed_import_left_can_only_be_discarded(downloads: Downloads, models: Path) -> None:
    draft = staging.draft_of(models / "imported")
    draft.mkdir(parents=True)
    (draft / WEIGHTS).write_bytes(bytes(20_000_000))
    (models / ".odd name.partial").mkdir()
    (models / ".a-file.partial").write_text("mine")
    (left,) = downloads.all()
    assert (left.id, left.state) == ("imported", DownloadState.LEFT) and "0.02 GB" in left.message
    downloads.discard("imported")
    assert downloads.all() == () and not draft.exists()


@contextmanager
def no_more_files() -> Iterator[None]:
    """No file can be opened, whichever are closed meanwhile by other threads or the garbage collector.

    Three stay allowed, the open standard streams: with none, `poll` of the hub's thread fails, too.
    """
    # An engine of an earlier test in this process has replaced `setrlimit`: it lowers no limit of files.
    limit = partial(resource.prlimit, 0) if hasattr(resource, "prlimit") else resource.setrlimit
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        limit(resource.RLIMIT_NOFILE, before)


def test_one_that_cannot_begin_leaves_no_ghost(downloads: Downloads) -> None:
    with (
        no_more_files(),
        pytest.raises(FetchFailed, match="cannot be started: Too many open files"),
    ):
        downloads.start(REPO)
    assert downloads.all() == () and writers() == []
    downloads.start(REPO)
    assert until(downloads, has_ended).state is DownloadState.DONE


def test_there_are_not_too_many_at_once(downloads: Downloads, hub: FakeHub) -> None:
    hub.holds_after[LISTING] = 0
    for number in range(MOST_AT_ONCE):
        downloads.start(f"org/number-{number}")
    with pytest.raises(FetchFailed, match="wait until one of them is complete"):
        downloads.start(REPO)


def test_the_end_of_the_site_ends_them(downloads: Downloads, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    downloads.start(REPO)
    until(downloads, has_begun)
    downloads.close()
    assert writers() == []
