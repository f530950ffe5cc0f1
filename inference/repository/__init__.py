"""Where models come from: the Hugging Face hub, GGUF files, and the small model of the first start."""
