"""Keys of orders that may come twice, priorities of keys, and tasks that are ordered once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "order_keys",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_order_keys")),
    )
    op.create_index(op.f("ix_order_keys_created_ms"), "order_keys", ["created_ms"])
    op.add_column("keys", sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tasks", sa.Column("retry_of", sa.String(length=32), nullable=True))
    queued = sa.text("status = 'queued'")
    op.drop_index("ix_tasks_due", "tasks")
    due = ["status", "run_at_ms"] if op.get_bind().dialect.name == "sqlite" else ["run_at_ms"]
    op.create_index("ix_tasks_due", "tasks", due, sqlite_where=queued, postgresql_where=queued)
    live = sa.text("retry_of IS NOT NULL AND status NOT IN ('rejected', 'failed')")
    op.create_index("uq_tasks_retry_of", "tasks", ["retry_of"], unique=True, sqlite_where=live, postgresql_where=live)
