"""The model server: what may be served, who is resident, and the workers that run it."""

__version__ = "0.1.0"
