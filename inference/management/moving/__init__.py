"""Moving the database from the file of SQLite to a PostgreSQL server."""
