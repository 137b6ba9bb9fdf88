"""How fast studies are imported, and that memory does not grow with the file: ``python -m benchmarks.importing``.

Records are generated from a fixed seed, with the traits of real ones: respelled names, missing and wrong postcodes,
blank statuses. Each size runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sitematch.config import Settings, data_file

SITES_A_STUDY = 10
_SPELLINGS = {"US": "United States", "KR": "Korea, Republic of", "TR": "Turkey (Türkiye)", "GB": "United Kingdom"}


def _towns() -> list[dict[str, str]]:
    with data_file("stand-in-sites.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(count: int) -> Iterator[dict[str, Any]]:
    """Generate studies, always the same ones."""
    rng, towns = random.Random(1), _towns()
    for number in range(count):
        locations = []
        for _ in range(SITES_A_STUDY):
            town = rng.choice(towns)
            name = f"{rng.choice(('Hospital', 'Clinic', 'Institute'))} {rng.randrange(10_000)}"
            location = {
                "facility": f"{name} /ID# {rng.randrange(10**6)}",
                "city": town["city"],
                "state": town["state"],
                # Some tens of thousands of different whereabouts, as in the registry.
                "zip": f"{rng.randrange(10_000, 99_999)}" if rng.random() < 0.2 else town["postcode"],
                "country": _SPELLINGS.get(town["country"], town["country"]),
                "status": rng.choice(("RECRUITING", "NOT_YET_RECRUITING", "COMPLETED", "")),
            }
            locations.append({name: text for name, text in location.items() if text})
        yield {
            "protocolSection": {
                "identificationModule": {"nctId": f"NCT9{number:07d}", "briefTitle": f"Study {number}"},
                "statusModule": {"overallStatus": "RECRUITING", "lastUpdatePostDateStruct": {"date": "2026-01-05"}},
                "descriptionModule": {"briefSummary": "Words about the study. " * 40},
                "contactsLocationsModule": {"locations": locations},
            }
        }


class Silent:
    """Hears what an import tells, and says nothing."""

    def fault(self, *_: object) -> None:
        """Hear of anything."""

    notice = contradiction = unplaced = change = progress = fault


def one_size(count: int) -> dict[str, float]:
    """Import so many studies into a fresh database, then the same again; measure both."""
    from sitematch.gazetteer.locate import Gazetteer
    from sitematch.importers.ctgov import read_file
    from sitematch.services.studies.importing import import_records
    from sitematch.store import migrate
    from sitematch.store.engine import open_store

    now = datetime(2026, 2, 1, tzinfo=UTC)
    gazetteer = Gazetteer.open(Settings.from_mapping({}).gazetteer_path)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "studies.ndjson"
        with path.open("w", encoding="utf-8") as file:
            for record in records(count):
                file.write(json.dumps(record) + "\n")
        url = f"sqlite:///{folder}/bench.db"
        with open_store(url, require_ready=False) as store:
            migrate.upgrade(store)
            seconds = []
            for _ in range(2):
                start = time.perf_counter()
                totals, _done = import_records(
                    store,
                    gazetteer,
                    read_file(path, now.date()),
                    origin="ctgov",
                    source="bench",
                    now=now,
                    watcher=Silent(),
                )
                seconds.append(time.perf_counter() - start)
                if totals.locations != count * SITES_A_STUDY or totals.sites + totals.left_out != totals.locations:
                    raise SystemExit(f"Locations were lost: {totals}")
        megabytes = path.stat().st_size / 1e6
    return {
        "studies": count,
        "file_mb": megabytes,
        "first_s": seconds[0],
        "again_s": seconds[1],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        print(json.dumps(one_size(chosen.one)))
        return
    print(f"{'studies':>9}{'sites':>9}{'file MB':>9}{'import s':>10}{'studies/s':>11}{'again s':>9}{'peak MB':>9}")
    for size in chosen.sizes:
        command = [sys.executable, "-m", "benchmarks.importing", "--one", str(size)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"{size:9,}{size * SITES_A_STUDY:9,}{row['file_mb']:9.1f}{row['first_s']:10.2f}"
            f"{size / row['first_s']:11.0f}{row['again_s']:9.2f}{row['peak_mb']:9.0f}"
        )


if __name__ == "__main__":
    main()
