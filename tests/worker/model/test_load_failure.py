"""Why a load failed."""

from inference.core.errors import InternalError, Unavailable
from inference.worker.model.load_failure import RefusedModel, failure_kind, failure_reason
from tests.each import each


@each(
    ("error", "kind", "reason"),
    [
        (RefusedModel("it runs code"), "refused", "it runs code"),
        *(
            (
                failure,
                "internal",
                "the process that renders its chat template did not start; the server's log has the details",
            )
            for failure in (Unavailable("busy"), InternalError("see the log"))
        ),
        (FileNotFoundError("/home/ada/model.safetensors"), "files", "a file of the model is missing"),
        (ValueError("Model type x not supported."), "files", "mlx-lm does not support this kind of model"),
        (
            KeyError("/home/ada"),
            "files",
            "its files cannot be read as a model; the server's log has the details",
        ),
    ],
)
def test_a_failure_has_a_kind_and_a_reason_without_paths(error: Exception, kind: str, reason: str) -> None:
    assert (failure_kind(error), failure_reason(error)) == (kind, reason)
