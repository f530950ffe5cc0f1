"""Quantising models: plans and starts for the admin, the API and the commands, and the memory they claim."""

import contextlib
from collections.abc import Iterator

from django.conf import settings

from inference.core.errors import InvalidValue, ModelNotFound, ServerError
from inference.core.model_card import ModelCard
from inference.core.quantisation import BITS, GROUP_SIZES, RECIPES, QuantisationSettings
from inference.core.units import in_gb
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.quantising.active_quantisation import ActiveQuantisation
from inference.repository.quantising.plan import (
    QuantisationPlan,
    QuantisingMachine,
    QuantisingPrediction,
    make_plan,
    predict,
)
from inference.repository.quantising.register import Quantisations
from inference.serving import runtime
from inference.serving.usage_history import available

_register: Quantisations | None = None


def register() -> Quantisations:
    """The quantisations of this process."""
    global _register
    if _register is None:
        _register = Quantisations(
            settings.CONFIG.models_path,
            claim=claimed,
            on_done=lambda: runtime.catalog().forget(),
            leaves_notes=True,
        )
    return _register


@contextlib.contextmanager
def use_register(other: Quantisations) -> Iterator[Quantisations]:
    """Use `other` while the block runs."""
    global _register
    before, _register = _register, other
    try:
        yield other
    finally:
        _register = before


def find(model_id: str) -> ModelCard:
    """The card of what an id names, also of an adapter; raises ModelNotFound."""
    card = runtime.catalog().find(model_id)
    if card and (found := card.requested_as(model_id)):
        return found
    raise ModelNotFound(f"There is no model {model_id[:256]!r} here.", param="model")


def plan(
    model_id: str, wanted: QuantisationSettings, *, name: str = "", measures: bool = True
) -> QuantisationPlan:
    """What quantising a model would make and take; raises ModelNotFound or ConversionRefused."""
    return make_plan(find(model_id), wanted, _machine(), name=name, measures=measures)


def predictions(card: ModelCard) -> dict[str, QuantisingPrediction]:
    """What each number of bits and each recipe would make and take, with measuring, by their labels."""
    choices = [*(str(bits) for bits in BITS), *RECIPES]
    return {choice: predict(card, settings_of(choice), _machine()) for choice in choices}


def settings_of(choice: str, group_size: int = GROUP_SIZES[0]) -> QuantisationSettings:
    """The settings of a number of bits, as a text, or of a recipe."""
    if choice in RECIPES:
        return QuantisationSettings(recipe=choice, group_size=group_size)
    return QuantisationSettings(bits=int(choice), group_size=group_size)


def begin(
    model_id: str, wanted: QuantisationSettings, *, name: str = "", measures: bool = True
) -> ActiveQuantisation:
    """Plan and start in one; raises ModelNotFound, or InvalidValue with why it is refused."""
    try:
        return start(plan(model_id, wanted, name=name, measures=measures))
    except ConversionRefused as error:
        raise InvalidValue(str(error), param=error.field) from None


def start(planned: QuantisationPlan) -> ActiveQuantisation:
    """Start it, or let it wait for those before it; raises ConversionRefused if memory is missing now."""
    if not any(one.is_active for one in register().all()):
        check_memory(planned)
    return register().start(planned)


def check_memory(planned: QuantisationPlan) -> None:
    """Raise ConversionRefused, with what has to go, if there is too little memory now."""
    if error := runtime.pool().claim_error(_what(planned), planned.prediction.needed_memory_bytes):
        raise ConversionRefused(f"{error}{_advice(planned)}")
    check_machine(planned)


def check_machine(planned: QuantisationPlan) -> None:
    """Raise ConversionRefused if this machine, or its limit for models, has too little memory."""
    limit = settings.CONFIG.memory_limit_bytes
    there = min(available(), limit)
    if planned.prediction.needed_memory_bytes > there:
        raise ConversionRefused(
            f"{_what(planned)} needs {in_gb(planned.prediction.needed_memory_bytes)} of memory, and this "
            f"machine has {in_gb(there)} for it: end other programs first.{_advice(planned)}"
        )


@contextlib.contextmanager
def claimed(planned: QuantisationPlan) -> Iterator[None]:
    """Hold the memory of a quantisation, so that the pool loads no model into it."""
    name, pool = _what(planned), runtime.pool()
    check_machine(planned)
    try:
        runtime.run_on_loop(pool.claim(name, planned.prediction.needed_memory_bytes))
    except ServerError as error:
        raise ConversionRefused(f"{error}{_advice(planned)}") from None
    try:
        yield
    finally:
        with contextlib.suppress(ServerError):  # the site is ending
            runtime.run_on_loop(pool.end_claim(name))


def _what(planned: QuantisationPlan) -> str:
    return f"Quantising {planned.job.source}"


def _advice(planned: QuantisationPlan) -> str:
    return " Without measuring the perplexity it needs less." if planned.job.measures else ""


def _machine() -> QuantisingMachine:
    config = settings.CONFIG
    return QuantisingMachine(
        models_dir=config.models_path,
        dequantises=runtime.dequantises(),
        device=config.device,
        blas=config.blas,
    )
