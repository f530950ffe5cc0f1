"""Makes the folder of a quantised model, and measures it beside its source."""

import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec
from mlx_lm.utils import compute_bits_per_weight

from inference.core import disk_space
from inference.core.conversion import ConversionProgress, ConversionStep, StepName
from inference.core.protocol import Load
from inference.core.quantisation import JOB_FILE, PerplexityComparison, QuantisationJob, QuantisationReport
from inference.repository.files import context_length, safetensors, staging
from inference.repository.quantising.copied_files import copied_files
from inference.repository.quantising.plan import WINDOW
from inference.repository.quantising.report_file import write_report
from inference.worker.model import mlx_lm_patches
from inference.worker.model.loading import choose_device
from inference.worker.model.model_files import read_facts, read_tokenizer, refuse_code, refuse_infinities
from inference.worker.quantisation import perplexity, weights

OnProgress = Callable[[ConversionProgress], None]


class DiskTooFull(Exception):
    """The disk has too little space left; the message has the numbers."""


class _Report:
    """The progress of the steps."""

    def __init__(self, send: OnProgress, sizes: dict[StepName, int]) -> None:
        self._send, self._sizes = send, sizes
        self._done = dict.fromkeys(sizes, 0)
        self._write()

    def add(self, name: StepName) -> Callable[[int], None]:
        def count(more: int) -> None:
            self._done[name] = min(self._sizes[name], self._done[name] + more)
            self._write()

        return count

    def _write(self) -> None:
        steps = (
            ConversionStep(name=name, done=self._done[name], size=size) for name, size in self._sizes.items()
        )
        self._send(ConversionProgress(steps=tuple(steps)))


def quantise(job: QuantisationJob, on_progress: OnProgress) -> QuantisationReport:
    """Make the model folder of a job.

    1. Read the source's small files; refuse one that asks to run code or that mlx-lm does not know.
    2. In a hidden draft: quantise, write the weights, and copy the small files.
    3. Measure the source and then the result on the text that ships.
    4. Write the report, and rename the draft.

    Raises RefusedModel, DiskTooFull, FileExistsError, BlockingIOError, OSError, and what mlx-lm raises.
    """
    source, target = Path(job.source_path), Path(job.target_path)
    mlx_lm_patches.patch_models()
    device = choose_device(Load(model=job.source, path=job.source_path, device=job.device))
    facts = read_facts(source)
    refuse_code(facts)
    refuse_infinities(facts.config)
    windows = _windows(job, source, context_length.read(facts.config, facts.tokenizer_config))
    model, config = weights.quantised(source, job.settings)
    bits, tokens = compute_bits_per_weight(model), sum(len(window) - 1 for window in windows)
    sizes: dict[StepName, int] = {"quantise": weights.size(model)}
    if windows:
        sizes |= {"measure_source": tokens, "measure_result": tokens}
    report = _Report(on_progress, sizes)
    with staging.staged(target) as draft:
        (draft / JOB_FILE).write_bytes(msgspec.json.encode(job))
        _check_disk(job, target)
        weights.write(model, config, draft, report.add("quantise"))
        for path in copied_files(source):
            copy = draft / path.relative_to(source)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
        made = QuantisationReport(
            source=job.source,
            settings=job.settings,
            source_bytes=_weight_bytes(source),
            bytes=_weight_bytes(draft),
            bits_per_weight=round(bits, 3),
            mlx_lm=version("mlx-lm"),
        )
        made = _measured(made, source, draft, windows, device, report) if windows else made
        write_report(draft, made)
        (draft / JOB_FILE).unlink()
    return made


def _windows(job: QuantisationJob, source: Path, context: int) -> list[list[int]]:
    if not job.measures:
        return []
    return perplexity.text_windows(read_tokenizer(source), min(WINDOW, context))


def _measured(
    made: QuantisationReport,
    source: Path,
    draft: Path,
    windows: list[list[int]],
    device: str,
    report: _Report,
) -> QuantisationReport:
    """The report with the perplexity of both models, or with why there is none: the model is good without."""
    try:
        before = perplexity.of_folder(source, windows, device=device, on_tokens=report.add("measure_source"))
        after = perplexity.of_folder(draft, windows, device=device, on_tokens=report.add("measure_result"))
    except ArithmeticError as error:
        return msgspec.structs.replace(made, problem=f"The perplexity could not be measured: {error}.")
    comparison = PerplexityComparison(
        text=perplexity.TEXT_NAME,
        tokens=sum(len(window) - 1 for window in windows),
        window=len(windows[0]),
        before=before,
        after=after,
    )
    return msgspec.structs.replace(made, perplexity=comparison)


def _check_disk(job: QuantisationJob, target: Path) -> None:
    if shortage := disk_space.shortage(target, job.needed_disk_bytes):
        raise DiskTooFull(f"{job.name} {shortage}.")


def _weight_bytes(folder: Path) -> int:
    return sum(tensor.bytes for tensor in safetensors.read_tensors(folder))
