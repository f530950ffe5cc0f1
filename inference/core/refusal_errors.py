"""A worker's refusal as an error again, on the site's side."""

from inference.core import image_errors
from inference.core.errors import ContextLengthExceeded, InternalError, ServerError, all_errors
from inference.core.refusal import Refusal

_CLASSES = {error.code: error for error in [*all_errors(), *all_errors(image_errors.InvalidImage)]}


def from_refusal(refusal: Refusal) -> ServerError:
    """The error that a worker refused with."""
    if refusal.code == ContextLengthExceeded.code:
        return ContextLengthExceeded(refusal.message, param=refusal.param, lengths=refusal.lengths)
    return _CLASSES.get(refusal.code, InternalError)(refusal.message, param=refusal.param)
