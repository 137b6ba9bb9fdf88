"""What an operator is told of each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sitematch.store.engine import Store
from sitematch.store.inspection import inspect


def test_state_of_a_sound_database(store: Store) -> None:
    state = inspect(store)

    assert state.version.startswith({"sqlite": "SQLite 3.", "postgresql": "PostgreSQL "}[store.dialect])
    assert state.damage == ()
    assert state.is_read_only is False
    assert state.latest_event_at is None
    if store.dialect == "postgresql":
        assert state.clock is not None
        assert abs(state.clock - datetime.now(UTC)) < timedelta(minutes=1)
        assert state.most_connections is not None
