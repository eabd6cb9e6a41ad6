"""The tables. Times are UTC milliseconds; ``spec``, ``artifacts``, ``edition`` and ``failure`` are JSON text."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

#: The number of a row, for as long as the server lives. SQLite numbers rows of its own accord, under this type alone.
NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def _only_added_to(table: Table) -> None:
    """Rows are added to the table, never changed: the database itself refuses anything else."""
    for change in ("UPDATE", "DELETE"):
        refusal = DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER {table.name}_no_{change.lower()} BEFORE {change} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table.name} stay as they are: add another one'); END"
        )
        event.listen(table, "after_create", refusal.execute_if(dialect="sqlite"))
    function = DDL(  # type: ignore[no-untyped-call]
        f"CREATE FUNCTION {table.name}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        f"'rows of {table.name} stay as they are: add another one' USING ERRCODE = 'restrict_violation'; END $$"
    )
    event.listen(table, "after_create", function.execute_if(dialect="postgresql"))
    for change in ("UPDATE", "DELETE"):
        trigger = DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER {table.name}_no_{change.lower()} BEFORE {change} ON {table.name} "
            f"FOR EACH ROW EXECUTE FUNCTION {table.name}_stays()"
        )
        event.listen(table, "after_create", trigger.execute_if(dialect="postgresql"))


#: Constraints have names, so that later revisions can name them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("label", Text, nullable=False),
    # The sum of the account's ledger, kept by the transaction that adds an entry.
    Column("balance", BigInteger, nullable=False, server_default="0"),
    # A share of the workers: an account of weight 2 may have twice as many tasks running before others go first.
    Column("weight", Float, nullable=False, server_default="1"),
    # The turn at which a task of the account was last claimed; turns are numbered 1, 2, 3 ...
    Column("served", BigInteger, nullable=False, server_default="0"),
    Column("created_ms", BigInteger, nullable=False),
    # How many tasks it has ever ordered, and how many of them have not ended: kept by the transactions that order and
    # end tasks, so that limits hold exactly, whatever number of processes there are.
    Column("orders", BigInteger, nullable=False, server_default="0"),
    Column("live", BigInteger, nullable=False, server_default="0"),
    # So many of its tasks run at the same time at most; empty: as many as the settings say.
    Column("max_running", Integer),
    CheckConstraint("balance >= 0", name="solvent"),
)
Index("ix_accounts_served", accounts.c.served)
#: Has tasks that have not ended. Conditions of partial indexes stand in statements word for word.
BUSY = text("live > 0")
Index("ix_accounts_live", accounts.c.live, sqlite_where=BUSY, postgresql_where=BUSY)

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account_id", String(64), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("expires_ms", BigInteger),
    # As it was last noted; noting each use would cost a write for each read.
    Column("last_used_ms", BigInteger),
    # Credits that the key may spend in an hour, in a day and in all, and tasks of it that may run at the same time.
    Column("hourly_cap", BigInteger),
    Column("daily_cap", BigInteger),
    Column("total_cap", BigInteger),
    Column("max_running", Integer),
    # Networks that the key may be used from, as a JSON list; an empty one is everywhere.
    Column("addresses", Text, nullable=False, server_default="[]"),
    # Of the tasks of one account, those of a key with a higher priority go first.
    Column("priority", Integer, nullable=False, server_default="0"),
)

#: What a key is recognised by. It has one secret, and more while that is replaced: the older ones have an end.
key_secrets = Table(
    "key_secrets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("key_id", String(32), ForeignKey("keys.id"), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
)

#: What a key has spent, by the hour (UTC) in which it ordered: held or charged. What is refunded is taken out again.
key_spending = Table(
    "key_spending",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("credits", BigInteger, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("account_id", String(64), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("task_id", String(32)),
    Column("note", Text, nullable=False, server_default=""),
)
_only_added_to(ledger)
# A task is held for once, and closed once: settled or refunded, never both.
_HELD, _CLOSED = text("kind = 'hold'"), text("kind IN ('settle', 'refund')")
Index("uq_ledger_hold", ledger.c.task_id, unique=True, sqlite_where=_HELD, postgresql_where=_HELD)
Index("uq_ledger_close", ledger.c.task_id, unique=True, sqlite_where=_CLOSED, postgresql_where=_CLOSED)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account_id", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("dialect", String(32), nullable=False),
    Column("public_base", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("model", String(128), nullable=False),
    Column("spec", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("run_at_ms", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("lost_leases", Integer, nullable=False),
    Column("owner", String(128)),
    Column("lease_until_ms", BigInteger),
    Column("started_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("progress", Float, nullable=False),
    Column("stage", Text, nullable=False),
    Column("engine", String(64)),
    Column("fallback_used", Boolean, nullable=False),
    Column("checkpoint", Text),
    Column("failure", Text),
    Column("artifacts", Text, nullable=False),
    # Of the spec, where the database has to tell upgrades apart. No foreign key: a source may be forgotten first.
    Column("kind", String(16), nullable=False, server_default="generate"),
    Column("source_id", String(32)),
    Column("result_index", Integer, nullable=False, server_default="0"),
    # Until when the stored files of the task are kept; empty where there are none, or none any more.
    Column("media_until_ms", BigInteger),
    # 1, 2, 3 ... among the orders of its account: the n-th last one is found in one step.
    Column("number", BigInteger),
    # The ended task that the operator has ordered once more by this one.
    Column("retry_of", String(32)),
)
# Partial, so that a task which has ended costs a claim nothing.
_QUEUED, _RUNNING = text("status = 'queued'"), text("status = 'running'")
# ``status`` leads the claim index although it is always the same there: two equal terms beat one, so that SQLite, which
# has no statistics, never searches an account's ended tasks instead. ``key_id`` comes before the order of the queue, so
# that the tasks of a key which may not run more are leapt over in one step.
Index(
    "ix_tasks_claim",
    tasks.c.status,
    tasks.c.account_id,
    tasks.c.key_id,
    tasks.c.priority.desc(),
    tasks.c.created_ms,
    tasks.c.id,
    tasks.c.model,
    tasks.c.run_at_ms,
    sqlite_where=_QUEUED,
).ddl_if(dialect="sqlite")
# Likewise: a look for what is due, or late, would take the claim index otherwise, and go through the whole queue.
Index("ix_tasks_due", tasks.c.status, tasks.c.run_at_ms, sqlite_where=_QUEUED).ddl_if(dialect="sqlite")
# PostgreSQL leaves out a term that follows from the condition of the index, and with it in front would read all of it.
for _name, _columns in (
    ("ix_tasks_claim", "account_id, key_id, priority DESC, created_ms, id, model, run_at_ms"),
    ("ix_tasks_due", "run_at_ms"),
):
    _index = DDL(f"CREATE INDEX {_name} ON tasks ({_columns}) WHERE status = 'queued'")  # type: ignore[no-untyped-call]
    event.listen(tasks, "after_create", _index.execute_if(dialect="postgresql"))
Index("ix_tasks_leases", tasks.c.owner, tasks.c.lease_until_ms, sqlite_where=_RUNNING, postgresql_where=_RUNNING)
_WAITING = text("status = 'waiting'")
Index(
    "ix_tasks_waiting",
    *(tasks.c.status, tasks.c.run_at_ms, tasks.c.engine),
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)
#: What a remote engine works on counts as running wherever running tasks are counted: somebody works on it.
BEGUN = text("status IN ('running', 'waiting')")
# ``status`` makes it a covering index: then it is always the cheapest way to count.
Index(
    "ix_tasks_begun",
    *(tasks.c.account_id, tasks.c.key_id, tasks.c.status),
    sqlite_where=BEGUN,
    postgresql_where=BEGUN,
)
# A film is enlarged once, whoever asks and how often: of one kind and index, one task that has not failed.
LIVE_UPGRADE = text("kind IN ('upgrade_1080p', 'upgrade_4k') AND status NOT IN ('rejected', 'failed')")
Index(
    "uq_tasks_upgrade",
    tasks.c.source_id,
    tasks.c.kind,
    tasks.c.result_index,
    unique=True,
    sqlite_where=LIVE_UPGRADE,
    postgresql_where=LIVE_UPGRADE,
)
# An ended task is ordered once more by one task that has not failed in turn.
LIVE_RETRY = text("retry_of IS NOT NULL AND status NOT IN ('rejected', 'failed')")
Index("uq_tasks_retry_of", tasks.c.retry_of, unique=True, sqlite_where=LIVE_RETRY, postgresql_where=LIVE_RETRY)
_OF_SOURCE = text("source_id IS NOT NULL")
Index(
    "ix_tasks_source_id",
    *(tasks.c.source_id, tasks.c.kind, tasks.c.result_index, tasks.c.ended_ms),
    sqlite_where=_OF_SOURCE,
    postgresql_where=_OF_SOURCE,
)
_HAS_MEDIA = text("media_until_ms IS NOT NULL")
Index("ix_tasks_media_until_ms", tasks.c.media_until_ms, sqlite_where=_HAS_MEDIA, postgresql_where=_HAS_MEDIA)
Index("ix_tasks_newest", tasks.c.created_ms, tasks.c.id)
Index("uq_tasks_number", tasks.c.account_id, tasks.c.number, unique=True)
_ENDED = text("ended_ms IS NOT NULL")
Index("ix_tasks_ended_ms", tasks.c.ended_ms, sqlite_where=_ENDED, postgresql_where=_ENDED)

#: The Idempotency-Key that an order came with, for as long as the same order may come again. The row is added before
#: its task, in the same transaction, so that of two that come at once one waits for the other; hence no foreign key.
order_keys = Table(
    "order_keys",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("task_id", String(32), nullable=False),
    Column("created_ms", BigInteger, nullable=False, index=True),
)

#: Apart from ``tasks``: it may hold kilobytes, and reading a status must stay cheap.
task_state = Table(
    "task_state",
    metadata,
    Column("task_id", String(32), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("state", LargeBinary, nullable=False),
)

#: What has happened to a task, for those who watch it. That it was created is not among it: the task itself says so.
task_events = Table(
    "task_events",
    metadata,
    Column("task_id", String(32), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("progress", Float, nullable=False),
    Column("stage", Text, nullable=False),
)

#: What ran where: one row for each engine that was asked in an attempt.
runs = Table(
    "runs",
    metadata,
    Column("task_id", String(32), ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("engine", String(64), primary_key=True),
    Column("version", Text, nullable=False),
    Column("worker", String(128), nullable=False),
    Column("began_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("outcome", String(64)),
    Column("upstream_id", Text),
    Column("parameters", Text, nullable=False),
)
# What may still be going on elsewhere: few, however many runs there are.
_OPEN = text("ended_ms IS NULL")
Index("ix_runs_open", runs.c.engine, runs.c.task_id, sqlite_where=_OPEN, postgresql_where=_OPEN)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("task_id", String(32), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("account_id", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("next_at_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("state", String(16), nullable=False),
)
_PENDING = text("state = 'pending'")
Index("ix_callbacks_due", callbacks.c.next_at_ms, sqlite_where=_PENDING, postgresql_where=_PENDING)
Index("ix_callbacks_newest", callbacks.c.created_ms, callbacks.c.id)
Index("ix_callbacks_newest_of_account", callbacks.c.account_id, callbacks.c.created_ms, callbacks.c.id)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("callback_id", String(40), ForeignKey("callbacks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("latency_ms", Integer, nullable=False),
    Column("status", Integer),
    Column("answer", Text, nullable=False),
    Column("error", Text, nullable=False),
)

#: Who is there to do the work, and until when that may be believed.
workers = Table(
    "workers",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("engines", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    # Engines that are left alone for a while, since they have failed so often.
    Column("resting", Text, nullable=False, server_default="[]"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

#: Files that clients have sent. An account has one of a path and a name: a later one takes its place.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account_id", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("key", String(512), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("original_name", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
    UniqueConstraint("account_id", "path", "name", name="uq_uploads_place"),
)

#: What callbacks are signed with, as ``sealing.py`` stores it, since signing needs the secrets themselves: who can read
#: this file, which is open to its owner only, can sign with those in clear. ``until_ms`` is empty for the newest.
webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("account_id", String(64), ForeignKey("accounts.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("secret", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    CheckConstraint("kind IN ('vendor', 'standard')", name="kind"),
)

#: What the operator has switched off or on; what has no row is as ``domain/features.py`` says.
features = Table(
    "features",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

#: Who did what to accounts, keys, credits, webhook secrets and features.
audit = Table(
    "audit",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("account_id", String(64), index=True),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
)
_only_added_to(audit)
