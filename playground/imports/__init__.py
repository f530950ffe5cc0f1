"""Import of chats from files: our own exports and those of ChatGPT, Open WebUI and LibreChat."""
