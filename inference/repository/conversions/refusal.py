"""Why a model is not made."""


class ConversionRefused(Exception):
    """A model cannot be made, or not now; the message says why and what to do next.

    `field` is what has to be chosen otherwise: its name in a request, or None where no choice is at fault.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
