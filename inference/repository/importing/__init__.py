"""GGUF files of the server: those of one folder, uploads into it, and their imports."""
