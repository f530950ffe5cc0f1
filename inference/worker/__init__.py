"""The worker: the process that holds one model, and the only code that imports mlx."""
