"""Quantising models of the models folder: what can be, what it takes, and those in progress."""
