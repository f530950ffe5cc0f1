"""The site's own HTTP interface below /api: what operators, and `manage.py`, may do to the pool."""
