"""A large catalogue: how fast it comes in, in how much memory, and how fast it answers.

``python -m benchmarks.catalogue``. Studies are generated from a fixed seed. Their sites are drawn from 30,000 clinics
at real postcodes, a few of which recruit for very many studies and most for few, as in the registry; their conditions
from 400, likewise. Each size runs in a process of its own, so that its peak of memory is its own; the import with and
without the indexes of words and places alternates in one process. Of the answers that are timed, one in ten is checked
against a measurement of every site.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.importing import SITES_A_STUDY, Silent
from sitematch.config import Settings
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.place import Place
from sitematch.domain.studies.search_terms import query_words
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.geodesic import WGS84
from sitematch.services.finding.clinics import ClinicFinder
from sitematch.services.finding.finder import StatedCapacity
from sitematch.services.studies.importing import import_records
from sitematch.store import migrate, schema
from sitematch.store.engine import Store, open_store
from sitematch.store.studies import catalogue, search

NOW = datetime(2026, 2, 1, tzinfo=UTC)
CLINICS, CONDITIONS = 30_000, 400
ASKED = {"rare": "condition399", "middling": "condition40", "frequent": "tumor"}
"""What is searched for: one of the rarest conditions, one in between, and a word that a third of the studies have."""

_SHARES = {"US": 40, "FR": 6, "DE": 6, "ES": 5, "IT": 5, "GB": 5, "CA": 5, "JP": 5, "PL": 3, "AU": 3, "BR": 3, "NL": 3,
           "KR": 3, "MX": 2, "TR": 2, "ZA": 1, "IN": 3}  # fmt: skip
_QUERIES = 40


def _postcodes(path: Path) -> list[tuple[str, str, str]]:
    """Draw real postcodes, always the same ones: country, code, name of the place."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as gazetteer:
        found: list[tuple[str, str, str]] = []
        for country, share in _SHARES.items():
            rows = gazetteer.execute(
                "SELECT country, key, place FROM code JOIN label ON label.id = name_id WHERE country = ? ORDER BY key",
                (country,),
            ).fetchall()
            # The gazetteer also knows leading parts of codes, which nobody's address has.
            longest = max(len(key) for _, key, _ in rows)
            rows = [row for row in rows if len(row[1]) == longest or country == "GB"]
            found += random.Random(country).choices(rows, k=CLINICS * share // sum(_SHARES.values()))
    gazetteer.close()
    return found


def records(count: int, postcodes: list[tuple[str, str, str]]) -> Iterator[dict[str, Any]]:
    """Generate studies, always the same ones."""
    rng = random.Random(1)
    clinics = [(f"Hospital {number}", *where) for number, where in enumerate(postcodes)]
    rng.shuffle(clinics)
    how_often = list(accumulate(1 / (rank + 50) for rank in range(len(clinics))))
    conditions = [f"condition{number}" + (" tumor" if number % 3 == 0 else "") for number in range(CONDITIONS)]
    how_common = list(accumulate(1 / (rank + 5) for rank in range(CONDITIONS)))
    for number in range(count):
        locations = [
            {
                "facility": f"{facility} /ID# {rng.randrange(10**6)}",
                "city": name,
                "zip": code,
                "country": country,
                "status": rng.choice(("RECRUITING", "RECRUITING", "NOT_YET_RECRUITING", "COMPLETED")),
            }
            for facility, country, code, name in rng.choices(clinics, cum_weights=how_often, k=SITES_A_STUDY)
        ]
        yield {
            "protocolSection": {
                "identificationModule": {"nctId": f"NCT9{number:07d}", "briefTitle": f"Trial of drug {number}"},
                "statusModule": {
                    "overallStatus": rng.choice(("RECRUITING", "RECRUITING", "COMPLETED")),
                    "lastUpdatePostDateStruct": {"date": "2026-01-05"},
                },
                "descriptionModule": {"briefSummary": " ".join(f"word{rng.randrange(20_000)}" for _ in range(120))},
                "conditionsModule": {"conditions": rng.choices(conditions, cum_weights=how_common, k=2)},
                "contactsLocationsModule": {"locations": locations},
            }
        }


def _load(store: Store, gazetteer: Gazetteer, path: Path) -> float:
    """Import a file and return the seconds of a processor that it took: others share the machine."""
    from sitematch.importers.ctgov import read_file

    start = time.process_time()
    totals, _ = import_records(
        store, gazetteer, read_file(path, NOW.date()), origin="ctgov", source="bench", now=NOW, watcher=Silent()
    )
    if totals.sites + totals.left_out != totals.locations:
        raise SystemExit(f"Locations were lost: {totals}")
    return time.process_time() - start


@contextmanager
def _written(folder: Path, count: int, gazetteer_path: Path) -> Iterator[Path]:
    path = folder / "studies.ndjson"
    with path.open("w", encoding="utf-8") as file:
        for record in records(count, _postcodes(gazetteer_path)):
            file.write(json.dumps(record) + "\n")
    yield path
    path.unlink()


def _new_store(path: Path) -> Store:
    store = open_store(f"sqlite:///{path}", require_ready=False)
    migrate.upgrade(store)
    return store


def one_size(count: int, folder: Path) -> dict[str, Any]:
    """Import so many studies, note the peak of memory, then ask; the peak after the asking is told apart."""
    settings = Settings.from_mapping({})
    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with _written(folder, count, settings.gazetteer_path) as path, _new_store(folder / "bench.db") as store:
        seconds = _load(store, gazetteer, path)
        file_mb = path.stat().st_size / 1e6
        import_mb = _peak_mb()
        answers = {name: _ask(store, gazetteer, text) for name, text in ASKED.items()}
    return {
        "seconds": seconds,
        "file_mb": file_mb,
        "database_mb": (folder / "bench.db").stat().st_size / 1e6,
        "import_mb": import_mb,
        "after_mb": _peak_mb(),
        "answers": answers,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _ask(store: Store, gazetteer: Gazetteer, text: str) -> dict[str, float]:
    """Time look-ups from places drawn like the clinics, and check one in ten."""
    finder = ClinicFinder(gazetteer, store, StatedCapacity)
    rng = random.Random(text)
    drawn = rng.choices(_postcodes(Settings.from_mapping({}).gazetteer_path), k=_QUERIES)
    places = [gazetteer.locate(code, country) for country, code, _ in drawn]
    words = query_words(text, field="condition")
    matching, processing, searching = [], [], []
    found = 0
    for number, place in enumerate(places):
        start, start_cpu = time.perf_counter(), time.process_time()
        result = finder.match_clinics(text, place, MatchPolicy(), NOW)
        matching.append(time.perf_counter() - start)
        processing.append(time.process_time() - start_cpu)
        start = time.perf_counter()
        search.search_studies(store, words, statuses=[RecruitmentStatus.RECRUITING], limit=20)
        searching.append(time.perf_counter() - start)
        found = result.studies_found
        if number % 10 == 0:
            _check(store, finder, text, place)
    return {
        "studies": found,
        "match_ms": statistics.median(matching) * 1000,
        "match_cpu_ms": statistics.median(processing) * 1000,
        "slowest_ms": max(matching) * 1000,
        "search_ms": statistics.median(searching) * 1000,
    }


def _check(store: Store, finder: ClinicFinder, text: str, place: Place) -> None:
    """Measure to every open site of every study about the words, and compare the nearest."""
    result = finder.match_clinics(text, place, MatchPolicy(order=Order.DISTANCE, limit=1), NOW)
    here, nearest_km = place.coordinates, float("inf")
    with store.reading() as connection:
        about = search.matching_studies(
            connection, query_words(text, field="condition"), frozenset({RecruitmentStatus.RECRUITING})
        )
        rows = connection.execute(
            sa.select(schema.site.c.study_id, schema.site.c.latitude_deg, schema.site.c.longitude_deg).where(
                schema.site.c.status == "RECRUITING", schema.site.c.latitude_deg.is_not(None)
            )
        )
        for study_id, latitude, longitude in rows:
            if study_id in about:
                metres = WGS84.inv(here.longitude, here.latitude, longitude, latitude)[2]
                nearest_km = min(nearest_km, metres / 1000)
    told_km = [match.distance.km for match in result.clinics if match.distance is not None]
    if told_km != [nearest_km] if nearest_km < float("inf") else told_km:
        raise SystemExit(f"Wrong answer for {text!r} from {place.postcode}: {told_km} instead of {nearest_km} km")


def cost_of_indexes(count: int, folder: Path, rounds: int = 3) -> tuple[float, float]:
    """Import with the indexes of words and places and without, in turn; return the median seconds of each."""
    settings = Settings.from_mapping({})
    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with_s, without_s = [], []
    write_words = catalogue._write_words
    with _written(folder, count, settings.gazetteer_path) as path:
        for number in range(rounds):
            with _new_store(folder / f"with-{number}.db") as store:
                with_s.append(_load(store, gazetteer, path))
            with _new_store(folder / f"without-{number}.db") as store:
                with store.writing() as connection:
                    for name in ("ix_site_cell", "ix_site_clinic"):
                        connection.exec_driver_sql(f"DROP INDEX {name}")
                catalogue._write_words = lambda *_, **__: None
                try:
                    without_s.append(_load(store, gazetteer, path))
                finally:
                    catalogue._write_words = write_words
    return statistics.median(with_s), statistics.median(without_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--cost", type=int, default=1_000, help="studies for the cost of the indexes; 0 leaves it out")
    parser.add_argument("--folder", type=Path, help="where the databases go, which are large")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        if chosen.one is not None:
            print(json.dumps(one_size(chosen.one, folder)))
            return
        if chosen.cost:
            with_s, without_s = cost_of_indexes(chosen.cost, folder)
            print(
                f"Import of {chosen.cost:,} studies with the indexes of words and places {with_s:.2f} s, without "
                f"{without_s:.2f} s: {with_s / without_s:.2f} times."
            )
    print("Imports in seconds of one processor; answers by the clock, and of one processor.")
    print(
        f"{'studies':>9}{'sites':>11}{'file MB':>9}{'import s':>10}{'studies/s':>11}{'peak MB':>9}{'db MB':>8}"
        f"{'peak after asking':>19}"
    )
    for size in chosen.sizes:
        command = [sys.executable, "-m", "benchmarks.catalogue", "--one", str(size)]
        command += ["--folder", str(chosen.folder)] if chosen.folder else []
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"{size:9,}{size * SITES_A_STUDY:11,}{row['file_mb']:9.1f}{row['seconds']:10.1f}"
            f"{size / row['seconds']:11.0f}{row['import_mb']:9.0f}{row['database_mb']:8.0f}{row['after_mb']:19.0f}"
        )
        for name, answer in row["answers"].items():
            print(
                f"    {name}: {answer['studies']:,} studies; clinics in {answer['match_ms']:.1f} ms (processor "
                f"{answer['match_cpu_ms']:.1f}; slowest of {_QUERIES}: {answer['slowest_ms']:.1f}), "
                f"studies in {answer['search_ms']:.1f} ms"
            )


if __name__ == "__main__":
    main()
