"""What the top of the admin shows: memory, the last hour, models and requests."""
