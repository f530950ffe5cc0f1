"""/v1/conversations: lists of items that responses are made in, kept by the server."""
