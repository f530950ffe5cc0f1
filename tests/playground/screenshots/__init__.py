"""The pictures of the playground in the documentation."""
