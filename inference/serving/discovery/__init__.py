"""Models to download: found on the hub or suggested, each with what it needs and whether that fits here."""
