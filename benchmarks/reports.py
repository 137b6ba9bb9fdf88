"""How long reports take over a large ledger, and how much memory: ``python -m benchmarks.reports``.

A study of 2,000 sites and a ledger of 1,000,000 events, always the same ones from a fixed seed, written straight into a
SQLite file with valid hashes and steps, and checked by the program's own audit. Each report runs in a process of its
own, so that its peak of memory is its own; the interpreter with what every command imports is its first line.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sitematch.reports.document import Report

STUDY_ID = "NCT90000001"
COUNTRIES = ("US", "DE", "FR", "GB", "JP", "BR", "PL", "ES", "IT", "CA")
START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
"""When the last way begins."""
NOW = datetime(2026, 1, 2, tzinfo=UTC)
"""The instant of the reports."""
_HOLD_US = int(timedelta(hours=48).total_seconds() * 1e6)
_HOUR_US = 3_600_000_000
_FAILURES = ("INCLUSION_NOT_MET", "EXCLUSION_MET", "LABORATORY", "CONSENT_WITHDRAWN", "TRAVEL")


def ways(rng: random.Random, count: int, sites: int) -> Iterator[tuple[int, str, str, int, int | None, str | None]]:
    """Yield at least `count` events, each way in order: (instant, kind, referral, site, expiry, reason)."""
    start_us, span_us = int(START.timestamp() * 1e6), int((END - START).total_seconds() * 1e6)
    made = number = 0
    while made < count:
        number += 1
        referral, site = f"r-{number:07d}", int(sites * rng.random() ** 2)
        at = start_us + int(rng.random() * span_us)
        for _ in range(1 if rng.random() < 0.9 else 2):
            steps: list[tuple[int, str, int | None, str | None]] = [(at, "HELD", at + _HOLD_US, None)]
            luck = rng.random()
            if luck < 0.15:
                steps.append((at + int(20 * _HOUR_US * rng.random()), "RELEASED", None, None))
            elif luck > 0.25:  # between the two the hold lapses
                screened = at + int(40 * _HOUR_US * rng.random())
                steps.append((screened, "SCREENING", None, None))
                ended = screened + int((2 + 400 * rng.random()) * _HOUR_US)
                if luck < 0.55:
                    steps.append((ended, "SCREEN_FAILED", None, rng.choice(_FAILURES)))
                elif luck < 0.95:
                    steps.append((ended, "ENROLLED", None, None))
            yield from ((us, kind, referral, site, lapses, reason) for us, kind, lapses, reason in steps)
            made += len(steps)
            if steps[-1][1] not in ("HELD", "RELEASED", "SCREEN_FAILED"):
                break
            at = steps[-1][0] + 3 * _HOLD_US


def build(path: Path, events: int, sites: int) -> dict[str, float]:
    """Write the study and its ledger."""
    from sitematch.domain.studies.site import Site
    from sitematch.domain.studies.study import RecruitmentStatus, Study
    from sitematch.store import migrate
    from sitematch.store.capacity.chain import GENESIS, seal
    from sitematch.store.capacity.history import audit
    from sitematch.store.engine import open_store
    from sitematch.store.studies.catalogue import replace_study

    started = time.perf_counter()
    study = Study(
        study_id=STUDY_ID,
        title="A large study",
        status=RecruitmentStatus.RECRUITING,
        as_of_on=date(2026, 1, 1),
        source="made up",
    )
    listed = [
        Site(
            site_id=f"site-{number:04d}",
            study_id=STUDY_ID,
            source_study=STUDY_ID,
            facility=f"Hospital {number}",
            city=f"Town {number % 300}",
            country=COUNTRIES[number % len(COUNTRIES)],
            status=RecruitmentStatus.RECRUITING,
            as_of_on=date(2026, 1, 1),
        )
        for number in range(sites)
    ]
    with open_store(f"sqlite:///{path}", require_ready=False) as store:
        migrate.upgrade(store)
        replace_study(store, study, listed)
    found = sorted(ways(random.Random(1), events, sites))[:events]
    rows, latest, prev = [], {}, GENESIS
    for seq, (at_us, kind, referral, number, lapses, reason) in enumerate(found, 1):
        site = listed[number]
        row: dict[str, Any] = {
            "study_id": STUDY_ID,
            "seq": seq,
            "kind": kind,
            "at_us": at_us,
            "referral_id": referral,
            "site_id": site.site_id,
            "country": site.country,
            "arm": None,
            "expires_at_us": lapses,
            "reason": reason,
            "detail": "{}",
            "actor_id": "user:bench",
            "request_id": "bench",
            "prev_hash": prev,
        }
        prev = row["hash"] = seal(row)
        rows.append(tuple(row.values()))
        latest[referral] = (referral, STUDY_ID, seq, kind, site.site_id, site.country, None, lapses)
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(f"INSERT INTO event VALUES ({','.join('?' * 15)})", rows)
        connection.executemany(f"INSERT INTO latest_event VALUES ({','.join('?' * 8)})", latest.values())
        connection.execute(
            "INSERT INTO referral_count SELECT study_id, kind, site_id, country, COALESCE(arm, ''), COUNT(*) "
            "FROM latest_event WHERE site_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5"
        )
        head = (STUDY_ID, "STUDY", "", None, False, 1, "", len(rows), prev, rows[-1][3])
        connection.execute(f"INSERT INTO cap VALUES ({','.join('?' * 10)})", head)
        connection.execute("ANALYZE")
    connection.close()
    with open_store(f"sqlite:///{path}") as store:
        checked = audit.verify(store)
    if checked.faults or checked.heads[0].seq != events:
        raise SystemExit(f"The ledger is not valid: {checked.faults[:3]}")
    return {"seconds": time.perf_counter() - started, "file_mb": path.stat().st_size / 1e6, "referrals": len(latest)}


def one(path: Path, kind: str, past: bool, form: str) -> dict[str, float]:
    """Make one report, and render it unless `form` is empty; measure both."""
    from sitematch.domain.accounts.access import Actor, Grant, Role
    from sitematch.services.reports import forecasting, reporting
    from sitematch.store.engine import open_store

    boss = Actor(actor_id="user:bench", grants=(Grant(role=Role.ADMINISTRATOR),))
    makers: dict[str, Callable[..., Report]] = {
        "capacity": reporting.capacity_report,
        "funnel": reporting.funnel_report,
        "forecast": forecasting.forecast_report,
    }
    make = makers.get(kind)
    with open_store(f"sqlite:///{path}") as store:
        if make is None:
            return {"report_s": 0.0, "render_s": 0.0, "size_mb": 0.0, "peak_mb": _peak_mb()}
        start = time.perf_counter()
        report = make(store, boss, STUDY_ID, NOW, as_of=NOW if past else None, time_zone="Europe/Berlin")
        report_s = time.perf_counter() - start
    start = time.perf_counter()
    written = b""
    if form:
        from sitematch.reports.render import Format, render

        written = render(report, Format(form))
    render_s = time.perf_counter() - start
    return {"report_s": report_s, "render_s": render_s, "size_mb": len(written) / 1e6, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _run(*arguments: str) -> dict[str, float]:
    """Do one thing in a process of its own: a child's peak of memory counts that of the parent that it forked from."""
    command = [sys.executable, "-m", "benchmarks.reports", *arguments]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--sites", type=int, default=2_000)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        path, kind, past, form = chosen.one
        print(json.dumps(one(Path(path), kind, past == "past", form)))
        return
    if chosen.build is not None:
        print(json.dumps(build(chosen.build, chosen.events, chosen.sites)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reports.db"
        made = _run("--build", str(path), "--events", str(chosen.events), "--sites", str(chosen.sites))
        print(
            f"{chosen.sites:,} sites, {chosen.events:,} events of {made['referrals']:,} referrals, "
            f"{made['file_mb']:.0f} MB; written and audited in {made['seconds']:.0f} s"
        )
        print(f"\n{'':38}{'report s':>10}{'render s':>10}{'file MB':>9}{'peak MB':>9}")
        for name, kind, past, form in (
            ("(nothing: the interpreter)", "nothing", "now", ""),
            ("capacity now", "capacity", "now", ""),
            ("capacity as of an instant, replayed", "capacity", "past", ""),
            ("capacity, CSV", "capacity", "now", "csv"),
            ("capacity, Excel", "capacity", "now", "xlsx"),
            ("capacity, HTML", "capacity", "now", "html"),
            ("capacity, PDF", "capacity", "now", "pdf"),
            ("funnel", "funnel", "past", ""),
            ("funnel, JSON", "funnel", "past", "json"),
            ("forecast", "forecast", "now", ""),
        ):
            row = _run("--one", str(path), kind, past, form)
            print(
                f"{name:38}{row['report_s']:10.2f}{row['render_s']:10.2f}{row['size_mb']:9.1f}{row['peak_mb']:9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
