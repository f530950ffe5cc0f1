"""An import of a GGUF file in this process: what the process of its own does, without the start of one."""

from pathlib import Path

from inference.core.gguf_import import GgufImportJob
from inference.repository.gguf_import import ImportRefused, check
from inference.worker.conversion.__main__ import _ending


def import_here(source: Path, target: Path) -> None:
    """Make the model folder `target`; raises ImportRefused as `import_gguf` does."""
    check(source)
    job = GgufImportJob(
        source=source.name, source_path=str(source), name=target.name, target_path=str(target.absolute())
    )
    if failure := _ending(job, lambda progress: None).failure:
        raise ImportRefused(failure)
