"""The register with a process whose end the test decides; tests/worker/quantisation has the real one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from inference.core.quantisation import JOB_FILE
from inference.repository.conversions.active_conversion import ConversionState
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.downloads.register import Downloads
from inference.repository.files import staging
from inference.repository.quantising.plan import QuantisationPlan
from inference.repository.quantising.register import Quantisations
from tests.repository.conversions.waiting import has_begun, has_ended, until
from tests.repository.quantising.plans import SCRIPTED, plan


class Memory:
    """What is claimed and given back; `problem` refuses."""

    def __init__(self) -> None:
        self.problem = ""
        self.held: list[str] = []
        self.was_held: list[str] = []

    @contextmanager
    def claim(self, planned: QuantisationPlan) -> Iterator[None]:
        if self.problem:
            raise ConversionRefused(self.problem)
        self.held.append(planned.job.name)
        self.was_held.append(planned.job.name)
        try:
            yield
        finally:
            self.held.remove(planned.job.name)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def was_done() -> threading.Event:
    return threading.Event()


@pytest.fixture
def register(models: Path, memory: Memory, was_done: threading.Event) -> Iterator[Quantisations]:
    made = Quantisations(models, claim=memory.claim, on_done=was_done.set, leaves_notes=True, module=SCRIPTED)
    yield made
    made.close()


def processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if SCRIPTED in child.cmdline()]


def test_a_model_appears_and_is_announced(
    register: Quantisations, models: Path, memory: Memory, was_done: threading.Event
) -> None:
    assert register.start(plan(models)).state is ConversionState.WAITING
    begun = until(register, has_begun)
    assert begun.progress.steps[0].done == 1 and memory.held == ["tiny-4bit"]
    assert not (models / "tiny-4bit").exists()
    (models / "tiny" / "go").touch()
    assert until(register, has_ended).state is ConversionState.DONE and was_done.wait(5)
    assert [path.name for path in (models / "tiny-4bit").iterdir()] == ["model.safetensors"]
    assert memory.held == []


def test_two_at_once_are_made_one_after_the_other(register: Quantisations, models: Path) -> None:
    register.start(plan(models))
    other = register.start(plan(models, "other-4bit", source=models / "other"))
    until(register, has_begun)
    assert other.state is ConversionState.WAITING and len(processes()) == 1
    (models / "tiny" / "go").touch()
    until(register, has_begun, "other-4bit")
    assert register.of("tiny-4bit") == until(register, has_ended) and len(processes()) == 1
    (models / "other" / "go").touch()
    assert until(register, has_ended, "other-4bit").state is ConversionState.DONE


def test_the_same_name_is_refused_while_it_is_made_and_afterwards(
    register: Quantisations, models: Path
) -> None:
    register.start(plan(models))
    with pytest.raises(ConversionRefused, match="is already being created"):
        register.start(plan(models))
    (models / "tiny" / "go").touch()
    until(register, has_ended)
    with pytest.raises(ConversionRefused, match="already exists"):
        register.start(plan(models))


def test_a_cancelled_one_leaves_nothing_and_can_be_started_again(
    register: Quantisations, models: Path, memory: Memory
) -> None:
    register.start(plan(models))
    until(register, has_begun)
    assert register.cancel("tiny-4bit")
    assert not register.cancel("tiny-4bit") and not register.cancel("nothing")
    ended = until(register, has_ended)
    assert (ended.state, ended.message) == (ConversionState.CANCELLED, "No files were left behind.")
    register.close()
    assert processes() == [] and memory.held == []
    (models / "tiny" / "go").touch()
    register.start(plan(models))
    assert until(register, has_ended).state is ConversionState.DONE


def test_one_that_waits_is_cancelled_before_it_begins(
    register: Quantisations, models: Path, memory: Memory
) -> None:
    register.start(plan(models))
    register.start(plan(models, "other-4bit", source=models / "other"))
    register.cancel("other-4bit")
    (models / "tiny" / "go").touch()
    until(register, has_ended)
    assert register.all()[0].state is ConversionState.CANCELLED and memory.was_held == ["tiny-4bit"]


def test_a_failure_is_told_and_leaves_nothing(register: Quantisations, models: Path) -> None:
    (models / "tiny").mkdir()
    (models / "tiny" / "go").write_text("The disk is full.")
    register.start(plan(models))
    ended = until(register, has_ended)
    assert (ended.state, ended.message) == (ConversionState.FAILED, "The disk is full.")
    assert sorted(path.name for path in models.iterdir()) == ["tiny"]
    register.dismiss("tiny-4bit")
    assert register.all() == ()


def test_a_killed_process_is_told_and_leaves_nothing(register: Quantisations, models: Path) -> None:
    register.start(plan(models))
    until(register, has_begun)
    processes()[0].kill()
    ended = until(register, has_ended)
    assert ended.state is ConversionState.FAILED and "ended unexpectedly" in ended.message
    assert sorted(path.name for path in models.iterdir()) == ["tiny"]


def test_without_memory_it_is_refused_when_its_turn_comes(
    register: Quantisations, models: Path, memory: Memory
) -> None:
    memory.problem = "Unload big first."
    register.start(plan(models))
    ended = until(register, has_ended)
    assert (ended.state, ended.message) == (ConversionState.FAILED, "Unload big first.") and processes() == []


def test_the_end_of_the_site_ends_them_and_the_next_one_tells(
    register: Quantisations, models: Path, memory: Memory
) -> None:
    register.start(plan(models))
    register.start(plan(models, "org/other-4bit", source=models / "other"))
    until(register, has_begun)
    register.close()
    assert processes() == []
    assert [path.name for path in staging.draft_of(models / "tiny-4bit").iterdir()] == [JOB_FILE]
    again = Quantisations(models, claim=memory.claim, on_done=lambda: None, module=SCRIPTED)
    told = {one.name: one.state for one in again.all()}
    assert told == {"tiny-4bit": ConversionState.INTERRUPTED, "org/other-4bit": ConversionState.INTERRUPTED}
    assert not staging.draft_of(models / "tiny-4bit").exists()
    again.dismiss("tiny-4bit")
    assert [one.name for one in again.all()] == ["org/other-4bit"]


def test_what_another_program_makes_is_left_to_it(
    register: Quantisations, models: Path, memory: Memory
) -> None:
    with staging.staged(models / "tiny-4bit", keeps_draft=True) as draft:
        (draft / JOB_FILE).touch()
        again = Quantisations(models, claim=memory.claim, on_done=lambda: None, module=SCRIPTED)
        assert [one.state for one in again.all()] == [ConversionState.ELSEWHERE]
        with pytest.raises(ConversionRefused, match="is already being created"):
            again.start(plan(models))
        assert draft.exists()


def test_downloads_do_not_list_them(register: Quantisations, models: Path) -> None:
    register.start(plan(models))
    until(register, has_begun)
    assert Downloads(models, on_done=lambda: None).all() == ()
