"""Django's backend for PostgreSQL, with what the site takes for granted of a database."""
