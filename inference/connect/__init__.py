"""What each client needs to use this server, and how its own files are changed and changed back."""
