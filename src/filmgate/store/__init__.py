"""Tasks, accounts and callbacks in a SQL database: one schema, SQLite on one machine."""
