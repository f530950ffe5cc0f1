"""Settings put into the text of a file that is there, which keeps its comments and all other settings."""
