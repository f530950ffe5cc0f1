"""Models that processes of their own make: quantised ones, and those of GGUF files."""
