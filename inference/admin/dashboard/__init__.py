"""The dashboard at the top of the admin: memory, the last hour, models and requests."""
