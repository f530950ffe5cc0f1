"""The worker: the process that holds one model, and the only code that imports mlx."""

from inference.worker import transformers_import

transformers_import.install()
