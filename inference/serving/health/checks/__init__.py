"""The checks: each file has `check`, which yields what it found, also when all is well."""
