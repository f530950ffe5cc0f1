"""What was asked of this site, by whom, and what became of it."""
