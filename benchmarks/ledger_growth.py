"""A hold and the feed as the ledger grows, on both databases: ``python -m benchmarks.ledger_growth``.

Ledgers of several sizes are held in turn, round by round, so that only the ratios between sizes matter. Beside a hold
stands what a hold did before there were counters: one count over the latest event of every referral. The database makes
the events itself, without a chain that verifies; nothing here reads their hashes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from benchmarks import databases, race
from benchmarks.timing import Contestant, print_table
from benchmarks.timing import race as timed
from sitematch.domain.accounts.access import Actor, Caller
from sitematch.store.capacity import ledger
from sitematch.store.capacity.counting import read_view
from sitematch.store.engine import Store, open_store
from sitematch.store.instants import to_us
from sitematch.store.schema import latest_event

_CALLER = Caller(actor=Actor(actor_id="system:growth"), request_id="growth")
_SPOTS = 10_000_000
_numbers = count(1)

_SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT 8 UNION ALL SELECT n + 1 FROM series WHERE n < :last) ",
    "postgresql": "WITH series AS (SELECT generate_series(8, CAST(:last AS BIGINT)) AS n) ",
}
_KIND = (
    "CASE WHEN n % 2 = 0 OR (n / 2) % 4 = 3 THEN 'HELD' WHEN (n / 2) % 4 = 0 THEN 'ENROLLED' "
    "WHEN (n / 2) % 4 = 1 THEN 'RELEASED' ELSE 'SCREEN_FAILED' END"
)
_EVENTS = (
    "SELECT :study, n, kind, :at_us, 'old-' || (n / 2), CASE (n / 2) % 2 WHEN 0 THEN 'us-1' ELSE 'fr-1' END, "
    "CASE (n / 2) % 2 WHEN 0 THEN 'US' ELSE 'FR' END, NULL, CASE kind WHEN 'HELD' THEN :at_us + 1 END, NULL, '{}', "
    f"'bench', 'bench', 'none', 'none' FROM (SELECT n, {_KIND} AS kind FROM series) AS made"
)


def fill(store: Store, events: int, now: datetime) -> None:
    """Add events of referrals that ended long ago; a quarter are holds that lapsed."""
    with store.writing() as connection:
        series = _SERIES[store.dialect]
        values = {"last": events | 1, "study": race.STUDY_ID, "at_us": to_us(now - timedelta(days=30))}
        connection.execute(sa.text(f"INSERT INTO event {series}{_EVENTS}"), values)
        connection.execute(
            sa.text(
                "INSERT INTO latest_event "
                "SELECT referral_id, study_id, seq, kind, site_id, country, arm, expires_at_us FROM event "
                "WHERE referral_id LIKE 'old-%' AND seq % 2 = 1"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO referral_count SELECT study_id, kind, site_id, country, COALESCE(arm, ''), COUNT(*) "
                "FROM latest_event WHERE site_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5"
            )
        )
        connection.execute(sa.text("UPDATE cap SET head_seq = :last WHERE level = 'STUDY'"), {"last": events | 1})
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))


def hold(store: Store, now: datetime) -> None:
    """Place one hold."""
    ledger.place_hold(
        store,
        _CALLER,
        study_id=race.STUDY_ID,
        site_id="us-1",
        referral_id=f"new-{next(_numbers)}",
        now=now,
    )


def view(store: Store, now: datetime) -> None:
    """Read what the feed reads after a change."""
    with store.reading() as connection:
        read_view(connection, race.STUDY_ID, now)


def recount(store: Store, now: datetime) -> None:
    """Count the latest event of every referral, as each hold did before there were counters."""
    in_use = sa.or_(latest_event.c.expires_at_us.is_(None), latest_event.c.expires_at_us > to_us(now))
    with store.reading() as connection:
        connection.execute(
            sa.select(sa.func.count().filter(in_use)).where(
                latest_event.c.study_id == race.STUDY_ID,
                latest_event.c.kind.in_(["HELD", "OFFERED", "SCREENING", "ENROLLED", "SCREEN_FAILED", "WITHDRAWN"]),
            )
        ).all()


def _again(work: Callable[[Store, datetime], None], store: Store, now: datetime, _piece: int) -> None:
    work(store, now)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table for each database and kind of work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--dialects", nargs="+", default=["sqlite", "postgresql"])
    options = parser.parse_args(arguments)
    for dialect in options.dialects:
        with tempfile.TemporaryDirectory() as folder:
            stores = {}
            for events in options.events:
                (Path(folder) / str(events)).mkdir()
                url = databases.ready_url(dialect, Path(folder) / str(events))
                race.prepare(url, _SPOTS)
                stores[events] = (url, open_store(url))
                fill(stores[events][1], events, datetime.now(UTC))
            now = datetime.now(UTC)
            for title, work, pieces in (("a hold", hold, 40), ("the feed's read", view, 40), ("a recount", recount, 3)):
                medians = timed(
                    [
                        Contestant(f"{events:,} events", partial(_again, work, store, now), pieces)
                        for events, (_, store) in stores.items()
                    ],
                    clock=time.process_time if dialect == "sqlite" else time.perf_counter,
                )
                measured = "CPU time" if dialect == "sqlite" else "elapsed time, since the server works elsewhere"
                print_table(f"{dialect}: {title} ({measured})", medians, {})
            for url, store in stores.values():
                store.close()
                databases.forget(url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
