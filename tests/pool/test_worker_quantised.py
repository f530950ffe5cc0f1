"""Models that were quantised here, on a real worker."""

from pathlib import Path

import pytest

from inference.core.events import Ended, Finished
from inference.worker.quantisation.quantise import quantise
from tests.architectures import folders
from tests.nightly import of_each_kind
from tests.pool.worker_models import ask, chat, started
from tests.worker.quantisation.jobs import job_of

pytestmark = pytest.mark.mlx


FAMILIES = ["llama", "qwen3", "gemma3", "gpt_oss", "qwen3_moe"]


@pytest.mark.parametrize("family", of_each_kind(FAMILIES, FAMILIES[:1]))
async def test_a_quantised_model_is_loaded_and_asked(tmp_path: Path, family: str) -> None:
    job = job_of(folders.write(family, tmp_path / family), measures=False)
    quantise(job, lambda progress: None)
    runner = await started(Path(job.target_path))
    try:
        events = await ask(runner, chat("hi"))
    finally:
        await runner.stop()
    assert [type(event) for event in events][-2:] == [Ended, Finished]
    finished = events[-1]
    assert isinstance(finished, Finished) and finished.usage.completion_tokens > 0
