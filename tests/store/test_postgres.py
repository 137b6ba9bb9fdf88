"""What is special about a PostgreSQL server: several hosts, limits, connections that run out, its clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks import databases
from sitematch.errors import InvalidInput, LedgerBusy, StorageFault
from sitematch.store.capacity.feed import CapacityFeed
from sitematch.store.engine import open_store
from sitematch.store.guards import ClockGuard
from sitematch.store.postgres import parse_address
from tests.store.builders import Coordinator


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    url = databases.ready_url("postgresql", tmp_path)
    yield url
    databases.forget(url)


@pytest.mark.parametrize(
    ("text", "hosts", "wanted"),
    [
        ("postgresql://db1,db2/x", ("db1:5432", "db2:5432"), "read-write"),
        ("postgresql://ann:p%40ss@db1:1,db2:2/x?target_session_attrs=any", ("db1:1", "db2:2"), "any"),
        ("postgres://[::1]:5433,db2/x", ("[::1]:5433", "db2:5432"), "read-write"),
    ],
)
def test_address_of_several_hosts_is_read(text: str, hosts: tuple[str, ...], wanted: str) -> None:
    found = parse_address(text)

    assert found.query["host"] == hosts
    assert found.query["target_session_attrs"] == wanted
    assert found.database == "x"


@pytest.mark.parametrize("text", ["postgresql://db1,/x", "postgresql://db1,d b/x", "postgresql://db1:port,db2/x"])
def test_hosts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_address(text)


def test_comma_in_a_password_makes_no_second_host() -> None:
    found = parse_address("postgresql://ann:a,b@db1/x")

    assert (found.host, found.password) == ("db1", "a,b")


def test_second_host_is_used_where_the_first_does_not_answer(url: str) -> None:
    address = sa.make_url(url)
    socket_folder = address.query["host"]
    assert isinstance(socket_folder, str)
    several = address.set(query={**address.query, "host": ("/nowhere", socket_folder)})

    with open_store(several.render_as_string(hide_password=False)) as store:
        assert store.schema_revision()
        assert "/nowhere" in store.where


def test_every_connection_has_limits(url: str) -> None:
    with open_store(url, busy_timeout_s=2.5) as store, store.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("statement_timeout", "lock_timeout", "synchronous_commit")
        }

    assert found == {"statement_timeout": "2min", "lock_timeout": "2500ms", "synchronous_commit": "on"}


def test_statement_that_takes_too_long_is_told_as_busy(url: str) -> None:
    with open_store(url) as store, pytest.raises(LedgerBusy, match="took too long"), store.reading() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 50")
        connection.exec_driver_sql("SELECT pg_sleep(60)")


def test_server_without_a_free_connection_is_told_as_busy(url: str) -> None:
    address = sa.make_url(url)
    role = f"few_{address.database}"
    administrator = sa.create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT 0')
    limited = address.set(username=role, password=None).render_as_string(hide_password=False)
    try:
        with pytest.raises(LedgerBusy, match="no free connection") as caught:
            open_store(limited).close()
    finally:
        with administrator.connect() as connection:
            connection.exec_driver_sql(f'DROP ROLE "{role}"')
        administrator.dispose()

    assert caught.value.retry_after_s > 0


@pytest.mark.parametrize("hours", [-1, 1, 24 * 365])
def test_machine_whose_clock_differs_from_the_servers_writes_nothing(url: str, hours: int) -> None:
    def wrong() -> datetime:
        return datetime.now(UTC) + timedelta(hours=hours)

    with open_store(url) as right:
        coordinator = Coordinator(right)
        coordinator.hold("r-1")
    with open_store(url, clock=ClockGuard(wall=wrong)) as store, contextlib.ExitStack() as stack:
        with pytest.raises(StorageFault, match="differ by") as caught:
            stack.enter_context(CapacityFeed(store, wrong))
        with pytest.raises(StorageFault, match="differ by"), store.writing():
            pass

    assert caught.value.kind == "CLOCK"


def test_machine_whose_clock_is_right_writes(url: str) -> None:
    now = lambda: datetime.now(UTC)  # noqa: E731
    with open_store(url, clock=ClockGuard()) as store, CapacityFeed(store, now), store.writing() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
