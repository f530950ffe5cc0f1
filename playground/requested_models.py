"""The check that the models of a question are there, before anything of it is stored."""

from collections.abc import Iterable

from inference.core.errors import ModelNotFound
from inference.serving import runtime


def gone_error(model: str) -> ModelNotFound:
    """The error of an answer whose model went after `check`, while the question waited."""
    return ModelNotFound(f"{model} is no longer available on this server. Choose another model above.")


def check(models: Iterable[str]) -> None:
    """Raise ModelNotFound for a model that is not here or switched off; reads the disk, so use a thread."""
    for model in models:
        card = runtime.catalog().find(model)
        if card is None:
            raise ModelNotFound(f"{model} is not on this server. Choose another model above.", param="model")
        if not card.is_enabled:
            raise ModelNotFound(
                f"{model} is switched off on this server. Choose another model above.", param="model"
            )
