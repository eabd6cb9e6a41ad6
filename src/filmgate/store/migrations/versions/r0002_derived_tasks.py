"""Films made from films, files with an end, uploads and signed callbacks."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

#: SQLite numbers rows of its own accord under this type alone.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_LIVE_UPGRADE = "kind IN ('upgrade_1080p', 'upgrade_4k') AND status NOT IN ('rejected', 'failed')"
_HAS_MEDIA = "media_until_ms IS NOT NULL"


def upgrade() -> None:
    _extend_tasks()
    _note_media_of_old_tasks()
    _add_uploads()
    _add_webhook_secrets()
    op.create_index("ix_callbacks_newest", "callbacks", ["created_ms", "id"])
    op.create_index("ix_callbacks_newest_of_account", "callbacks", ["account_id", "created_ms", "id"])


def _extend_tasks() -> None:
    """In place: a table of many films is not copied. What there is so far was made from nothing else."""
    op.add_column("tasks", sa.Column("kind", sa.String(length=16), server_default="generate", nullable=False))
    op.add_column("tasks", sa.Column("source_id", sa.String(length=32), nullable=True))
    op.add_column("tasks", sa.Column("result_index", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tasks", sa.Column("media_until_ms", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_tasks_source_id",
        "tasks",
        ["source_id", "kind", "result_index", "ended_ms"],
        sqlite_where=sa.text("source_id IS NOT NULL"),
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    op.create_index(
        "uq_tasks_upgrade",
        "tasks",
        ["source_id", "kind", "result_index"],
        unique=True,
        sqlite_where=sa.text(_LIVE_UPGRADE),
        postgresql_where=sa.text(_LIVE_UPGRADE),
    )
    op.create_index(
        "ix_tasks_media_until_ms",
        "tasks",
        ["media_until_ms"],
        sqlite_where=sa.text(_HAS_MEDIA),
        postgresql_where=sa.text(_HAS_MEDIA),
    )


def _note_media_of_old_tasks() -> None:
    tasks = sa.table("tasks", sa.column("id"), sa.column("artifacts"), sa.column("media_until_ms"))
    of_task = sa.update(tasks).where(tasks.c.id == sa.bindparam("of_id"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(tasks.c.id, tasks.c.artifacts).where(tasks.c.artifacts != "[]")).all():
        until_ms = max(artifact["expires_ms"] for artifact in json.loads(row.artifacts))
        connection.execute(of_task, {"of_id": row.id, "media_until_ms": until_ms})


def _add_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=512), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("original_name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("account_id", "path", "name", name="uq_uploads_place"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_uploads_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("key", name=op.f("uq_uploads_key")),
    )
    op.create_index(op.f("ix_uploads_expires_ms"), "uploads", ["expires_ms"])


def _add_webhook_secrets() -> None:
    op.create_table(
        "webhook_secrets",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('vendor', 'standard')", name=op.f("ck_webhook_secrets_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_webhook_secrets_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index(op.f("ix_webhook_secrets_account_id"), "webhook_secrets", ["account_id"])
