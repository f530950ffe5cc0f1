"""Models on the hub, before anything of them is downloaded: the search, and the card of one of them."""
