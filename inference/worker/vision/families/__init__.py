"""The families of vision models: how each cuts a picture, writes it into a prompt and looks at it."""
