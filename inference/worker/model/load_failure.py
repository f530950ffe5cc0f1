"""Why a load failed, for the model's owner and for the pool."""

from inference.core.errors import LoadFailure, Unavailable
from inference.worker.model.out_of_memory import is_out_of_memory


class RefusedModel(Exception):
    """The folder needs something that this server does not do; the message is for the model's owner."""


def failure_reason(error: Exception) -> str:
    """The message for the client: without paths and tracebacks, which the log has."""
    if isinstance(error, RefusedModel):
        return str(error)
    if isinstance(error, Unavailable):  # of the renderer: nothing else that a load uses can be unavailable
        return "the process that renders its chat template did not start; the server's log has the details"
    if isinstance(error, FileNotFoundError):
        return "a file of the model is missing"
    if is_out_of_memory(error):
        return "there is not enough memory for it"
    if isinstance(error, ValueError) and "not supported" in str(error):
        return "mlx-lm does not support this kind of model"
    return "its files cannot be read as a model; the server's log has the details"


def failure_kind(error: Exception) -> LoadFailure:
    """The kind of failure; the pool decides by it whether to try again."""
    if isinstance(error, RefusedModel):
        return "refused"
    if isinstance(error, Unavailable):
        return "internal"
    return "out_of_memory" if is_out_of_memory(error) else "files"
