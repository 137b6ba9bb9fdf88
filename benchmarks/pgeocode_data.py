"""pgeocode's data files written from our own source, so that it is measured on the same GeoNames dump, offline."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Collection
from pathlib import Path

from sitematch.gazetteer.build.sources import DEFAULT_DIRECTORY, POSTAL
from sitematch.gazetteer.build.sources import read as read_source

FIELDS = (
    "country_code",
    "postal_code",
    "place_name",
    "state_name",
    "state_code",
    "county_name",
    "county_code",
    "community_name",
    "community_code",
    "latitude",
    "longitude",
    "accuracy",
)
"""The columns that pgeocode 0.5 reads, in its order; those that our source lacks stay empty."""


def write(folder: Path, countries: Collection[str]) -> None:
    """Write ``US.txt`` and the like, as pgeocode keeps them in its PGEOCODE_DATA_DIR.

    Parameters
    ----------
    folder
        An existing folder.
    countries
        ISO 3166-1 alpha-2 codes; one file each, empty but for its header where the source has no row.
    """
    files = {country: (folder / f"{country}.txt").open("w", encoding="utf-8", newline="") for country in countries}
    writers = {country: csv.DictWriter(file, FIELDS, restval="") for country, file in files.items()}
    try:
        for writer in writers.values():
            writer.writeheader()
        for line in gzip.decompress(read_source(POSTAL, [DEFAULT_DIRECTORY])).splitlines():
            row = json.loads(line)
            if row["country_code"] in writers:
                writers[row["country_code"]].writerow(
                    {
                        "country_code": row["country_code"],
                        "postal_code": row["postal_code"],
                        "place_name": row["city"],
                        "state_name": row["state"],
                        "latitude": row["latitude"],
                        "longitude": row["longitude"],
                        "accuracy": row["accuracy"],
                    }
                )
    finally:
        for file in files.values():
            file.close()
