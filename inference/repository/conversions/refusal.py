"""Why a model is not made."""


class ConversionRefused(Exception):
    """A model cannot be made, or not now; the message says why and what to do next."""
