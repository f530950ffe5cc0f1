"""The model server: which models may be served, which are in memory, and the workers that run them."""

__version__ = "0.1.0"
