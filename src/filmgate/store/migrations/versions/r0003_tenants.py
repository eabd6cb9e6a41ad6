"""Limits, caps and several secrets of keys, an order number for each task, its steps, features, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

#: SQLite numbers rows of its own accord under this type alone.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _extend_keys()
    _extend_accounts()
    _number_tasks()
    _index_queue()
    _add_features()
    _add_audit()
    _add_events()
    _only_added_to("ledger")
    _only_added_to("audit")


def _extend_keys() -> None:
    """The digest moves to a table of its own, where a key can have two of them."""
    keys = sa.table("keys", sa.column("id"), sa.column("digest"), sa.column("created_ms"))
    connection = op.get_bind()
    secrets = [
        {"key_id": row.id, "digest": row.digest, "created_ms": row.created_ms}
        for row in connection.execute(sa.select(keys)).all()
    ]
    with op.batch_alter_table("keys") as batch:
        batch.drop_constraint("uq_keys_digest", type_="unique")
        batch.drop_column("digest")
        batch.add_column(sa.Column("expires_ms", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("last_used_ms", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("hourly_cap", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("daily_cap", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("total_cap", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("max_running", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("addresses", sa.Text(), server_default="[]", nullable=False))
    key_secrets = op.create_table(
        "key_secrets",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_key_secrets_key_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_key_secrets")),
    )
    op.create_index(op.f("ix_key_secrets_key_id"), "key_secrets", ["key_id"])
    op.bulk_insert(key_secrets, secrets)
    op.create_table(
        "key_spending",
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "hour_ms", name=op.f("pk_key_spending")),
    )
    # What was spent before counts too.
    op.execute(
        "INSERT INTO key_spending (key_id, hour_ms, credits) "
        "SELECT key_id, created_ms - created_ms % 3600000, SUM(price) FROM tasks "
        "WHERE status NOT IN ('rejected', 'failed') GROUP BY 1, 2"
    )


def _extend_accounts() -> None:
    op.add_column("accounts", sa.Column("orders", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("accounts", sa.Column("live", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("accounts", sa.Column("max_running", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE accounts SET orders = (SELECT count(*) FROM tasks WHERE account_id = accounts.id), "
        "live = (SELECT count(*) FROM tasks WHERE account_id = accounts.id "
        "AND status IN ('queued', 'running', 'waiting'))"
    )
    op.create_index(
        "ix_accounts_live",
        "accounts",
        ["live"],
        sqlite_where=sa.text("live > 0"),
        postgresql_where=sa.text("live > 0"),
    )


def _number_tasks() -> None:
    op.add_column("tasks", sa.Column("number", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE tasks SET number = numbered.number FROM (SELECT id, row_number() OVER "
        "(PARTITION BY account_id ORDER BY created_ms, id) AS number FROM tasks) AS numbered "
        "WHERE tasks.id = numbered.id"
    )
    op.drop_index("ix_tasks_newest_of_account", "tasks")
    op.create_index("uq_tasks_number", "tasks", ["account_id", "number"], unique=True)
    op.create_index(
        "ix_tasks_ended_ms",
        "tasks",
        ["ended_ms"],
        sqlite_where=sa.text("ended_ms IS NOT NULL"),
        postgresql_where=sa.text("ended_ms IS NOT NULL"),
    )


def _index_queue() -> None:
    """By key too: one that may not run more tasks is passed over in one step."""
    op.drop_index("ix_tasks_claim", "tasks")
    in_line: list[str | sa.TextClause] = [
        "account_id",
        "key_id",
        sa.text("priority DESC"),
        "created_ms",
        "id",
        "model",
        "run_at_ms",
    ]
    op.create_index(
        "ix_tasks_claim",
        "tasks",
        ["status", *in_line] if op.get_bind().dialect.name == "sqlite" else in_line,
        sqlite_where=sa.text("status = 'queued'"),
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.drop_index("ix_tasks_running", "tasks")
    op.create_index(
        "ix_tasks_begun",
        "tasks",
        ["account_id", "key_id", "status"],
        sqlite_where=sa.text("status IN ('running', 'waiting')"),
        postgresql_where=sa.text("status IN ('running', 'waiting')"),
    )


def _only_added_to(table: str) -> None:
    words = f"rows of {table} stay as they are: add another one"
    if op.get_bind().dialect.name == "sqlite":
        acts = f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
    else:
        op.execute(
            f"CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            f"'{words}' USING ERRCODE = 'restrict_violation'; END $$"
        )
        acts = f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
    for change in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} {acts}")


def _add_features() -> None:
    op.create_table(
        "features",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_features")),
    )


def _add_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at_ms"), "audit", ["at_ms"])
    op.create_index(op.f("ix_audit_account_id"), "audit", ["account_id"])


def _add_events() -> None:
    op.create_table(
        "task_events",
        sa.Column("task_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_events_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "number", name=op.f("pk_task_events")),
    )
