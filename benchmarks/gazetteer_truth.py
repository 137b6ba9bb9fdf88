"""How true the gazetteer is: against trial records, the US Census, and pgeocode's way on the same GeoNames data.

Run ``python -m benchmarks.gazetteer_truth --records DIR`` with a folder of ClinicalTrials.gov v2 JSON files (one
study a file, or a page of studies). A record's own point is its city's, not the building's, and some are wrong: a
point is "a namesake's" when a town of the record's city name lies within 25 km of our answer and the record's point
does not.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sitematch.domain.place import Place
from sitematch.errors import SitematchError
from sitematch.gazetteer.build.sources import ZCTA, locate
from sitematch.gazetteer.build.zcta import US_POSTS, apart_km
from sitematch.gazetteer.grammar import parse_country
from sitematch.gazetteer.locate import Gazetteer

NEAR_KM, FAR_KM = 25.0, 100.0
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Record:
    """One site of a trial record."""

    country: str
    postcode: str
    city: str
    point: Point | None


@dataclass(slots=True)
class TruthTally:
    """What became of a country's records; distances are to the record's city point."""

    records: int = 0
    located: int = 0
    measured: int = 0
    near: int = 0
    far: int = 0
    namesakes: int = 0
    far_namesakes: int = 0
    rival_located: int = 0
    rival_measured: int = 0
    rival_near: int = 0
    rival_far: int = 0
    left: list[str] = field(default_factory=list)


def read_records(folder: Path) -> Iterator[Record]:
    """Give every site with a postcode, each as often as it is listed."""
    for file in sorted(folder.glob("*.json")):
        decoded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        for study in decoded.get("studies", [decoded]):
            module = study["protocolSection"].get("contactsLocationsModule", {})
            for site in module.get("locations", []):
                if site.get("zip"):
                    point = site.get("geoPoint")
                    yield Record(
                        country=parse_country(site["country"]),
                        postcode=site["zip"],
                        city=site.get("city") or "",
                        point=(point["lat"], point["lon"]) if point else None,
                    )


def pgeocode_points(records: Sequence[Record]) -> Mapping[tuple[str, str], Point]:
    """Look all codes up as pgeocode's users do: a Nominatim a country, the code as it stands in the record."""
    codes: dict[str, set[str]] = defaultdict(set)
    for record in records:
        codes[record.country].add(record.postcode)
    found: dict[tuple[str, str], Point] = {}
    with tempfile.TemporaryDirectory() as folder:
        from benchmarks import pgeocode_data

        pgeocode_data.write(Path(folder), sorted(codes))
        os.environ["PGEOCODE_DATA_DIR"] = folder  # read when pgeocode is imported
        import pgeocode

        for country, texts in sorted(codes.items()):
            try:
                nominatim = pgeocode.Nominatim(country)
            except ValueError:
                continue  # a country that pgeocode does not know
            ordered = sorted(texts)
            answer = nominatim.query_postal_code(ordered)
            for text, latitude, longitude in zip(ordered, answer["latitude"], answer["longitude"], strict=True):
                if latitude == latitude:  # not NaN
                    found[country, text] = (float(latitude), float(longitude))
    return found


def _place(gazetteer: Gazetteer, record: Record) -> Place | None:
    try:
        return gazetteer.locate(record.postcode, record.country)
    except SitematchError:
        return None


def _is_namesake(gazetteer: Gazetteer, record: Record, here: Point) -> bool:
    try:
        towns = gazetteer.search_towns(record.city, record.country, limit=50)
    except SitematchError:
        return False
    return any(apart_km(here, (town.coordinates.latitude, town.coordinates.longitude)) <= NEAR_KM for town in towns)


def measure(gazetteer: Gazetteer, records: Sequence[Record]) -> Mapping[str, TruthTally]:
    """Tally every record by country."""
    rival = pgeocode_points(records)
    tallies: dict[str, TruthTally] = defaultdict(TruthTally)
    for record in records:
        tally = tallies[record.country]
        tally.records += 1
        other = rival.get((record.country, record.postcode))
        if other is not None:
            tally.rival_located += 1
            if record.point is not None:
                apart = apart_km(other, record.point)
                tally.rival_measured += 1
                tally.rival_near += apart <= NEAR_KM
                tally.rival_far += apart > FAR_KM
        place = _place(gazetteer, record)
        if place is None:
            tally.left.append(f"{record.country} {record.postcode} {record.city}: not located")
            continue
        tally.located += 1
        if record.point is None:
            continue
        here = (place.coordinates.latitude, place.coordinates.longitude)
        apart = apart_km(here, record.point)
        tally.measured += 1
        tally.near += apart <= NEAR_KM
        tally.far += apart > FAR_KM
        if apart > NEAR_KM:
            namesake = _is_namesake(gazetteer, record, here)
            tally.namesakes += namesake
            tally.far_namesakes += namesake and apart > FAR_KM
            if apart > FAR_KM:
                kind = "the record's point is a namesake's" if namesake else "the record contradicts itself, or we err"
                tally.left.append(f"{record.country} {record.postcode} {record.city}: {apart:.0f} km; {kind}")
    return tallies


def _row(name: str, tallies: Iterable[TruthTally]) -> str:
    together = list(tallies)

    def total(what: str) -> int:
        return sum(int(getattr(tally, what)) for tally in together)

    def share(part: str, whole: str) -> str:
        return f"{total(part) / total(whole):.1%}" if total(whole) else "-"

    sound = total("measured") - total("namesakes")
    near = f"{total('near') / sound:.1%}" if sound else "-"
    return (
        f"| {name} | {total('records'):,} | {share('located', 'records')} | {share('near', 'measured')} "
        f"| {share('far', 'measured')} | {near} | {total('far') - total('far_namesakes')} "
        f"| {share('rival_located', 'records')} | {share('rival_near', 'rival_measured')} "
        f"| {share('rival_far', 'rival_measured')} |"
    )


def census(gazetteer: Gazetteer) -> str:
    """Compare every ZIP Code Tabulation Area with the Census's point."""
    near = count = 0
    beyond: list[str] = []
    with locate(ZCTA).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            count += 1
            found = [gazetteer.reader.postcode(country, row["zcta"]) for country in US_POSTS]
            apart = min(
                (
                    apart_km((one[0] / 10_000, one[1] / 10_000), (float(row["latitude"]), float(row["longitude"])))
                    for one in found
                    if one is not None
                ),
                default=float("inf"),
            )
            near += apart <= 5.0
            if apart > 50.0:
                beyond.append(f"{row['zcta']} ({apart:.0f} km)")
    return f"{count:,} ZCTAs, {near / count:.3%} within 5 km of the Census's point, {len(beyond)} beyond 50 km: " + (
        ", ".join(beyond) or "none"
    )


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gazetteer_truth", description=main.__doc__)
    parser.add_argument("--records", type=Path, required=True, help="folder of ClinicalTrials.gov v2 JSON files")
    parser.add_argument("--gazetteer", type=Path, default=Path("sitematch/_data/gazetteer.sqlite"))
    chosen = parser.parse_args()
    gazetteer = Gazetteer.open(chosen.gazetteer)
    records = list(read_records(chosen.records))
    tallies = measure(gazetteer, records)
    print(
        "| country | records | located | within 25 km | beyond 100 km | within 25 km, namesakes aside "
        "| beyond 100 km, namesakes aside | pgeocode located | within 25 km | beyond 100 km |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    print(_row("all", tallies.values()))
    for country, tally in sorted(tallies.items(), key=lambda item: (-item[1].records, item[0])):
        print(_row(country, [tally]))
    print()
    for line in sorted({line for tally in tallies.values() for line in tally.left}):
        print(f"* {line}")
    print()
    print(census(gazetteer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
