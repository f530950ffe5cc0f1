"""What quantising one model would make and take; everything is checked that can be before it begins."""

from pathlib import Path
from typing import Any

from msgspec import Struct

from inference.core import disk_space
from inference.core.model_card import ModelCard
from inference.core.quantisation import (
    BITS,
    GROUP_SIZES,
    RECIPES,
    QuantisationJob,
    QuantisationSettings,
)
from inference.repository import memory_estimate
from inference.repository.conversions.model_name import check_name
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.files import json_files
from inference.repository.files.json_files import UnreadableJson
from inference.repository.files.safetensors import BrokenWeights, Tensor, read_tensors
from inference.repository.quantising import size_estimate
from inference.repository.quantising.copied_files import copied_files

WINDOW = 512  # tokens of the text that are measured at a time
_FULL_PRECISION = frozenset({"F32", "F16", "BF16"})
_SLACK = 1.05  # headers, and matrices that a model leaves alone
_WORKSPACE = 1.1


class QuantisingPrediction(Struct, frozen=True, kw_only=True):
    """What quantising a model makes and takes, in bytes."""

    source_bytes: int
    source_memory_bytes: int  # once the source is loaded here
    bytes: int  # of the new model's weights
    memory_bytes: int  # of the new model, once it is loaded here
    needed_memory_bytes: int  # while it is made
    needed_disk_bytes: int


class QuantisationPlan(Struct, frozen=True, kw_only=True):
    """One job with its prediction."""

    job: QuantisationJob
    prediction: QuantisingPrediction


class QuantisingMachine(Struct, frozen=True, kw_only=True):
    """What a plan depends on beside the model."""

    models_dir: Path
    dequantises: bool
    device: str = "auto"
    blas: str = ""


def default_name(source: str, settings: QuantisationSettings) -> str:
    return f"{source}-{settings.label}"


def make_plan(
    card: ModelCard,
    settings: QuantisationSettings,
    machine: QuantisingMachine,
    *,
    name: str = "",
    measures: bool = True,
) -> QuantisationPlan:
    """The plan for one model; raises ConversionRefused for what cannot be quantised like this."""
    check_settings(settings)
    check_source(card)
    name = name or default_name(card.id, settings)
    check_name(name, machine.models_dir)
    prediction = predict(card, settings, machine, measures=measures)
    if shortage := disk_space.shortage(machine.models_dir, prediction.needed_disk_bytes):
        raise ConversionRefused(f"{name} {shortage}.")
    job = QuantisationJob(
        source=card.id,
        source_path=card.path,
        name=name,
        target_path=str(machine.models_dir / name),
        settings=settings,
        needed_disk_bytes=prediction.needed_disk_bytes,
        measures=measures,
        device=machine.device,
        blas=machine.blas,
    )
    return QuantisationPlan(job=job, prediction=prediction)


def predict(
    card: ModelCard, settings: QuantisationSettings, machine: QuantisingMachine, *, measures: bool = True
) -> QuantisingPrediction:
    """The sizes that are to be expected; raises ConversionRefused for a folder that cannot be read."""
    config, tensors = _read(card)
    made = size_estimate.quantised_bytes(tensors, settings)
    others = sum(path.stat().st_size for path in copied_files(Path(card.path)))
    whole = memory_estimate.weight_bytes(tensors, config, dequantises=machine.dequantises)
    needed = size_estimate.quantising_bytes(tensors, settings)
    if measures:  # the steps come one after another
        window = min(WINDOW, card.longest_context)
        measuring = size_estimate.measuring_bytes(
            tensors, config, dequantises=machine.dequantises, window=window
        )
        needed = max(needed, measuring)
    return QuantisingPrediction(
        source_bytes=card.weight_bytes,
        source_memory_bytes=int(whole * _WORKSPACE),
        bytes=made,
        memory_bytes=int((whole if machine.dequantises else made) * _WORKSPACE),
        needed_memory_bytes=needed,
        needed_disk_bytes=int(made * _SLACK) + others,
    )


def check_settings(settings: QuantisationSettings) -> None:
    """Raise ConversionRefused for bits, a recipe or groups that mlx-lm has not."""
    if settings.recipe and settings.recipe not in RECIPES:
        raise ConversionRefused(
            f"There is no recipe {settings.recipe!r}; choose one of {_list(RECIPES)}.", field="recipe"
        )
    if not settings.recipe and settings.bits not in BITS:
        raise ConversionRefused(f"{settings.bits} bits are not possible; choose {_list(BITS)}.", field="bits")
    if settings.group_size not in GROUP_SIZES:
        raise ConversionRefused(
            f"Groups of {settings.group_size} are not possible; choose {_list(GROUP_SIZES)}.",
            field="group_size",
        )


def check_source(card: ModelCard) -> None:
    """Raise ConversionRefused unless this is a whole text model in full precision."""
    if card.base:
        raise ConversionRefused(f"{card.id} is an adapter; quantise its model, {card.base}.", field="model")
    if card.is_remote:
        raise ConversionRefused(
            f"Another server has the files of {card.id}; quantise it there.", field="model"
        )
    if card.problem:
        raise ConversionRefused(f"{card.id} cannot be quantised: {card.problem}.", field="model")
    if card.kind != "chat":
        raise ConversionRefused(
            f"{card.id} does not generate text, so it cannot be quantised; it is served unchanged.",
            field="model",
        )
    if not is_full_precision(card):
        raise ConversionRefused(
            f"{card.id} is quantised already ({card.quantization}); quantise the full-precision model that "
            "it was made from.",
            field="model",
        )


def is_full_precision(card: ModelCard) -> bool:
    """Whether most of the weights are whole numbers of 32 or 16 bits."""
    return card.quantization in _FULL_PRECISION


def _read(card: ModelCard) -> tuple[dict[str, Any], list[Tensor]]:
    try:
        config, tensors = (
            json_files.read_object(Path(card.path) / "config.json"),
            read_tensors(Path(card.path)),
        )
    except (BrokenWeights, UnreadableJson, OSError) as error:
        raise ConversionRefused(f"{card.id} cannot be read: {error}.", field="model") from None
    if "quantization" in config or "quantization_config" in config:
        raise ConversionRefused(
            f"{card.id} is quantised already, says its config.json; quantise the full-precision model that "
            "it was made from.",
            field="model",
        )
    return config, tensors


def _list(options: tuple[object, ...]) -> str:
    *most, last = map(str, options)
    return f"{', '.join(most)} or {last}"
