"""Many patients at once beside one look-up after the other: ``python -m benchmarks.many``. CPU time of one process.

The patients live in known US and German postcodes, drawn with a fixed seed, so that places repeat as in a
real list. Every answer of a sample is compared with a look-up of its own.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime

import pandas as pd

from sitematch.config import data_file
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.errors import SitematchError
from sitematch.gazetteer.locate import Gazetteer
from sitematch.importers.study_file import read_study
from sitematch.importers.tables.sites_csv import read_sites
from sitematch.library.many import match_frame
from sitematch.services.finding.finder import Finder

_NOW = datetime(2026, 1, 15, tzinfo=UTC)
_SINGLE = 2_000


def known_codes(gazetteer: Gazetteer, count: int) -> list[tuple[str, str]]:
    """Return postcodes of the two countries that can be located."""
    chooser = random.Random(1)
    found: list[tuple[str, str]] = []
    while len(found) < count:
        code, country = f"{chooser.randrange(501, 99_999):05d}", chooser.choice(("US", "DE"))
        try:
            gazetteer.locate(code, country)
        except SitematchError:
            continue
        found.append((code, country))
    return found


def main() -> int:
    """Measure lists of several lengths, and print microseconds a patient."""
    gazetteer = Gazetteer.open(data_file("gazetteer.sqlite"))
    finder = Finder(gazetteer, read_study(data_file("study.json")), read_sites(data_file("sites.csv")).sites)
    policy, codes, wrong = MatchPolicy(), known_codes(gazetteer, 20_000), 0
    started = time.process_time()
    single = [finder.find(code, country, policy, _NOW) for code, country in codes[:_SINGLE]]
    single_us = (time.process_time() - started) / _SINGLE * 1e6
    print(f"one look-up after the other: {single_us:.0f} µs a patient")
    for patients in [int(text) for text in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        chooser = random.Random(2)
        rows = codes[:_SINGLE] + [chooser.choice(codes) for _ in range(patients - _SINGLE)]
        frame = pd.DataFrame(rows, columns=["postcode", "country"])
        started = time.process_time()
        found = match_frame(
            finder, frame, policy, _NOW, postcode=None, country=None, in_country=None, patient=None, languages=()
        )
        each_us = (time.process_time() - started) / patients * 1e6
        sites = found.matches.groupby("patient", sort=True)["site_id"].agg(list).head(_SINGLE)
        wrong += sum(
            ours != [match.site.site_id for match in alone.matches] for ours, alone in zip(sites, single, strict=True)
        )
        print(
            f"match_many, {patients:>9,} patients in {found.distinct:,} places: {each_us:.1f} µs a patient, "
            f"{single_us / each_us:.1f} times faster"
        )
    print(f"{wrong} answers differ from a single look-up")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
