"""The addresses at the site's root by which vLLM's clients know it, lm-eval's remote tokenizer among them."""
