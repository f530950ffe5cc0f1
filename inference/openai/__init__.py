"""The OpenAI dialect over HTTP: it parses, asks `inference.chat`, and words the answer."""
