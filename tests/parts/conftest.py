"""The tests of the stores are run on every database that there is a store for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import storing

#: These modules. What only one database can show is marked ``only``.
_OF_STORES = frozenset(
    f"test_{name}"
    for name in (
        *("account_store", "admission", "audit_log", "deadlines", "event_store", "feature_store", "key_store"),
        *("ledger_machine", "limits_across_processes", "listing", "order_keys", "outbox", "retry", "task_claims"),
        *("task_life", "task_store", "turns", "upload_store", "webhook_store", "worker_store"),
    )
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] not in _OF_STORES:
        return
    only = metafunc.definition.get_closest_marker("only")
    kinds = only.args if only else storing.KINDS
    metafunc.fixturenames.insert(0, "on_database")
    metafunc.parametrize("on_database", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def on_database(request: pytest.FixtureRequest) -> Iterator[None]:
    with storing.on(request.param):
        yield
