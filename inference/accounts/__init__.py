"""API keys: who holds one, what it may do, and how much of it."""
