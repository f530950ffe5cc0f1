"""The OpenAI dialect over HTTP: it parses, asks `inference.serving.generation`, and words the answer."""
