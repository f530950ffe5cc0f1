"""Anthropic's dialect below /v1: messages, token counts, and the list of models in its form."""
