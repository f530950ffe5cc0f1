"""Quantising a model folder: mlx-lm's own quantisation, and what it costs on a text."""
