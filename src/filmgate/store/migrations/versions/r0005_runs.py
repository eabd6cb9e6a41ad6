"""What ran where for a task, tasks that engines elsewhere work on, and engines that rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("engine", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("worker", sa.String(length=128), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("upstream_id", sa.Text(), nullable=True),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_runs_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "attempt", "engine", name=op.f("pk_runs")),
    )
    is_open = sa.text("ended_ms IS NULL")
    op.create_index("ix_runs_open", "runs", ["engine", "task_id"], sqlite_where=is_open, postgresql_where=is_open)
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_tasks_waiting",
        "tasks",
        ["status", "run_at_ms", "engine"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.add_column("workers", sa.Column("resting", sa.Text(), server_default="[]", nullable=False))
