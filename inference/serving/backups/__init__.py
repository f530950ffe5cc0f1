"""Backups of a data folder: a tar file with the database, the secret key, settings and perhaps models."""
