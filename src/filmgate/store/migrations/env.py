"""Read by Alembic when it runs the revisions; the connection is handed in, inside a transaction of its owner."""

from __future__ import annotations

from alembic import context

from filmgate.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
context.run_migrations()
