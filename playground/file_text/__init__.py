"""The text of attached files, or a plain sentence why a file has none that a model could read."""
