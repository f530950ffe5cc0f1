"""Records of requests: their callers, how they ended, and what they used."""
