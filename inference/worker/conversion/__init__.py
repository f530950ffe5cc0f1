"""GGUF to an MLX model folder, as a process: `python -m inference.worker.conversion SOURCE TARGET`."""
