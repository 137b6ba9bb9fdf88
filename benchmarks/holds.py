"""Holds a second at 16 clients, beside pgbench's simple-update on the same server: ``python -m benchmarks.holds``.

Each client is a process that places holds without a pause, each hold one durable transaction. "One study" is the worst
case: every hold waits for the one before, as it must where all share one cap. "A study each" is what many studies
together reach. pgbench's simple-update (one update, one select, one insert) is the plain cost of a durable transaction
there; it has no lock that all clients share, nor a chain to keep.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import databases, race
from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.errors import LedgerBusy
from sitematch.store.capacity import ledger, rules
from sitematch.store.capacity.feed import CapacityFeed
from sitematch.store.capacity.history import audit
from sitematch.store.engine import open_store
from sitematch.store.studies.catalogue import read_sites, read_study, replace_studies

_CALLER = Caller(actor=Actor(actor_id="system:holds"), request_id="holds")
_SPOTS = 1_000_000


def _prepare(url: str, studies: int) -> None:
    from dataclasses import replace

    race.prepare(url, _SPOTS)
    with open_store(url) as store:
        study, sites = read_study(store, race.STUDY_ID), read_sites(store, race.STUDY_ID)
        copies = [
            (
                replace(study, study_id=f"NCT9{number:07d}"),
                [replace(site, study_id=f"NCT9{number:07d}", site_id=f"{number}-{site.site_id}") for site in sites],
            )
            for number in range(studies)
        ]
        replace_studies(store, copies)
        for study_copy, _ in copies:
            rules.set_cap(
                store,
                _CALLER,
                study_id=study_copy.study_id,
                key=CapKey(level=CapLevel.STUDY),
                spots=_SPOTS,
                now=datetime.now(UTC),
            )


def _work(url: str, number: int, is_shared: bool, seconds: float, gate: Any, answers: Any) -> None:
    study_id = race.STUDY_ID if is_shared else f"NCT9{number:07d}"
    prefix = "" if is_shared else f"{number}-"
    sites = list(race.SITES)
    times: list[float] = []
    busy = 0
    with open_store(url) as store:
        gate.wait()
        end = time.perf_counter() + seconds
        while (started := time.perf_counter()) < end:
            try:
                ledger.place_hold(
                    store,
                    _CALLER,
                    study_id=study_id,
                    site_id=prefix + sites[len(times) % len(sites)],
                    referral_id=f"{is_shared:d}-{number}-{len(times)}",
                    now=datetime.now(UTC),
                )
            except LedgerBusy:
                busy += 1
            else:
                times.append(time.perf_counter() - started)
        answers.put((times, busy))


def measure(url: str, *, clients: int, is_shared: bool, seconds: float) -> str:
    """Place holds from many clients on a prepared database, and return the figures as one line."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["sitematch.store.capacity.ledger", "sitematch.store.capacity.feed", "benchmarks.databases"]
    )
    gate, answers = context.Barrier(clients + 1), context.SimpleQueue()
    workers = [
        context.Process(target=_work, args=(url, number, is_shared, seconds, gate, answers))
        for number in range(clients)
    ]
    for worker in workers:
        worker.start()
    gate.wait()
    found = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    times = sorted(took for took_all, _ in found for took in took_all)
    ms = [1000 * times[int(len(times) * share)] for share in (0.5, 0.95, 0.99)]
    return (
        f"{len(times) / seconds:7.0f} holds/s; {ms[0]:.1f} ms median, {ms[1]:.1f} ms p95, {ms[2]:.1f} ms p99; "
        f"{sum(busy for _, busy in found)} told to come again"
    )


def pgbench(clients: int, seconds: float, *extra: str) -> str:
    """Run pgbench's simple-update on the same server and return its figures."""
    name = databases.new_postgres_database()
    url, program = databases.postgres_url(name), str(databases.postgres_program("pgbench"))
    try:
        subprocess.run([program, "-i", "-q", "-s", "16", url], check=True, capture_output=True)
        command = [program, "-N", "-n", f"-c{clients}", "-j2", f"-T{int(seconds)}", *extra, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    finally:
        databases.drop_postgres_database(name)
    rate = re.search(r"tps = ([0-9.]+)", output)
    latency = re.search(r"latency average = ([0-9.]+)", output)
    if rate is None or latency is None:
        raise RuntimeError(f"pgbench said something unexpected: {output}")
    return f"{float(rate[1]):7.0f} transactions/s; {float(latency[1]):.1f} ms mean"


def feed_figures(url: str) -> str:
    """Return how long the feed takes to answer, and to show another process's commit."""
    with open_store(url) as store, CapacityFeed(store, lambda: datetime.now(UTC)) as feed:
        site = read_sites(store, race.STUDY_ID)[0]
        now = datetime.now(UTC)
        started = time.perf_counter()
        for _ in range(10_000):
            feed.remaining(site, now)
        each_us = (time.perf_counter() - started) / 10_000 * 1e6
        delays = []
        for number in range(12):
            known = feed.study(race.STUDY_ID, datetime.now(UTC))
            subprocess.run(
                [sys.executable, "-c", _ONE_HOLD, url, f"feed-{number}", site.site_id],
                check=True,
                stdout=subprocess.PIPE,
            )
            committed = time.perf_counter()
            while known is not None and feed.study(race.STUDY_ID, datetime.now(UTC)).version == known.version:  # type: ignore[union-attr]
                time.sleep(0.002)
            delays.append(time.perf_counter() - committed)
    return (
        f"feed: {each_us:.1f} µs a site; another process's commit seen {1000 * statistics.median(delays):.0f} ms "
        f"(median of {len(delays)}), at most {1000 * max(delays):.0f} ms, after that process ended"
    )


_ONE_HOLD = """
import sys
from datetime import UTC, datetime
from benchmarks.holds import _CALLER
from benchmarks import race
from sitematch.store.capacity import ledger, rules
from sitematch.store.engine import open_store
with open_store(sys.argv[1]) as store:
    ledger.place_hold(store, _CALLER, study_id=race.STUDY_ID, site_id=sys.argv[3], referral_id=sys.argv[2],
                      now=datetime.now(UTC))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both databases, print the figures, and return 0 if the ledgers verify afterwards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    is_intact = True
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(options.rounds):
            print(f"round {turn + 1} of {options.rounds}, {options.clients} clients, {options.seconds:g} s each")
            print(f"  postgresql, pgbench simple-update       {pgbench(options.clients, options.seconds)}")
            for dialect in ("postgresql", "sqlite"):
                url = databases.ready_url(dialect, Path(folder))
                _prepare(url, options.clients)
                for name, is_shared in (("one study", True), ("a study each", False)):
                    line = measure(url, clients=options.clients, is_shared=is_shared, seconds=options.seconds)
                    print(f"  {dialect + ', ' + name:38}  {line}")
                if turn == 0:
                    print(f"  {dialect}, {feed_figures(url)}")
                with open_store(url) as store:
                    is_intact &= audit.verify(store).is_intact
                databases.forget(url)
    print("all ledgers verify" if is_intact else "A LEDGER DOES NOT VERIFY")
    return 0 if is_intact else 1


if __name__ == "__main__":
    # The workers import this module by its name; so must what is sent to them.
    from benchmarks.holds import main as run_main

    sys.exit(run_main())
