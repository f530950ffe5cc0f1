"""Records of requests: who sent them, how they ended, and what they used."""
