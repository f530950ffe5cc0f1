"""The site's health: checks, one file each, and the report of all of them."""
