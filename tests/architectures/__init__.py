"""A tiny config and tiny random weights for every architecture that mlx-lm has."""
