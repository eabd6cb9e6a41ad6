"""A Task as a row of ``tasks``, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..domain.errors import TaskError
from ..domain.spec import Spec
from ..domain.task import Artifact, Failure, Origin, Status, Task

_SPEC = msgspec.json.Decoder(Spec)
_EDITION = msgspec.json.Decoder(dict[str, str])
_ADDRESSES = msgspec.json.Decoder(tuple[str, ...])
_FAILURE = msgspec.json.Decoder(Failure)
_ARTIFACTS = msgspec.json.Decoder(tuple[Artifact, ...])
_ENCODER = msgspec.json.Encoder()


def json_text(value: object) -> str:
    return _ENCODER.encode(value).decode()


def spec_of(value: str) -> Spec:
    return _SPEC.decode(value)


def edition_of(value: str) -> dict[str, str]:
    return _EDITION.decode(value)


def addresses_of(value: str) -> tuple[str, ...]:
    return _ADDRESSES.decode(value)


def artifacts_text(artifacts: Sequence[Artifact]) -> str:
    return json_text(tuple(artifacts))


def artifacts_of(text: str) -> tuple[Artifact, ...]:
    return _ARTIFACTS.decode(text)


def media_until(artifacts: Sequence[Artifact]) -> int | None:
    """When the last of these files may go; None where there are none."""
    return max((artifact.expires_ms for artifact in artifacts), default=None)


def row_of(task: Task) -> dict[str, Any]:
    """Every column of ``tasks``, by name."""
    origin = task.origin
    return {
        "id": task.id,
        "account_id": origin.account_id,
        "key_id": origin.key_id,
        "dialect": origin.dialect,
        "public_base": origin.public_base,
        "edition": json_text(origin.edition),
        "model": task.spec.model,
        "spec": json_text(task.spec),
        "created_ms": task.created_ms,
        "status": task.status.value,
        "run_at_ms": task.run_at_ms,
        "priority": task.priority,
        "price": task.price,
        "attempt": task.attempt,
        "faults": task.faults,
        "lost_leases": task.lost_leases,
        "owner": task.owner,
        "lease_until_ms": task.lease_until_ms,
        "started_ms": task.started_ms,
        "ended_ms": task.ended_ms,
        "progress": task.progress,
        "stage": task.stage,
        "engine": task.engine,
        "fallback_used": task.fallback_used,
        "checkpoint": task.checkpoint,
        "failure": None if task.failure is None else json_text(task.failure),
        "artifacts": artifacts_text(task.artifacts),
        "kind": task.spec.kind.value,
        "source_id": task.spec.source_id,
        "result_index": task.spec.index,
        "media_until_ms": media_until(task.artifacts),
        "retry_of": task.retry_of,
    }


def task_of(row: Any) -> Task:
    """Of a row of SQLAlchemy's, or of the driver's own, which knows no booleans."""
    return Task(
        id=row.id,
        origin=Origin(row.account_id, row.key_id, row.dialect, row.public_base, edition_of(row.edition)),
        spec=spec_of(row.spec),
        created_ms=row.created_ms,
        status=Status(row.status),
        run_at_ms=row.run_at_ms,
        priority=row.priority,
        price=row.price,
        attempt=row.attempt,
        faults=row.faults,
        lost_leases=row.lost_leases,
        owner=row.owner,
        lease_until_ms=row.lease_until_ms,
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        progress=float(row.progress),  # SQLite returns 1 for 1.0 from RETURNING
        stage=row.stage,
        engine=row.engine,
        fallback_used=bool(row.fallback_used),
        checkpoint=row.checkpoint,
        failure=None if row.failure is None else _FAILURE.decode(row.failure),
        retry_of=row.retry_of,
        artifacts=artifacts_of(row.artifacts),
    )


def failed(status: Status, error: TaskError) -> dict[str, Any]:
    """What a task that ends without a film says of it."""
    return {"failure": json_text(Failure(error.slug, str(error))), "stage": status.value}
