"""The OpenAI dialect over HTTP: it parses, asks `inference.serving.generation`, and writes the answer."""
