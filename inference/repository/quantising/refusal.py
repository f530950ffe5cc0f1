"""Why a model is not quantised."""


class QuantisationRefused(Exception):
    """A model cannot be quantised, or not now; the message says why and what to do next."""
