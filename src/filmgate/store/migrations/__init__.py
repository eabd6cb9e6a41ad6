"""The revisions of the schema, for Alembic; ``store/migrate.py`` runs them."""
