"""The whole match and its parts beside what a person would write instead, on the same work in one run.

The work: 300 postcodes dealt over all countries, the 46 stand-in sites, the five nearest. Every answer is checked
against brute force with pyproj; "wrong" counts a wrong set or a wrong order.
"""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import geodistpy
import msgspec
import numpy as np
from geopy.distance import geodesic
from pyproj import Geod
from sklearn.neighbors import BallTree

from benchmarks import pgeocode_data
from benchmarks.timing import Contestant, print_table, race
from sitematch.config import data_file
from sitematch.domain.finding.match import MatchResult
from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.place import Postcode
from sitematch.exporters.wire.matches import matches_answer
from sitematch.gazetteer.grammar import normal_form
from sitematch.gazetteer.locate import Gazetteer
from sitematch.geo.geodesic import FloatArray
from sitematch.geo.index import ChordIndex
from sitematch.importers.study_file import read_study
from sitematch.importers.tables.sites_csv import read_sites
from sitematch.services.finding.finder import Finder

COUNT = 300
K = 5
NOW = datetime(2026, 1, 15, tzinfo=UTC)
GEOD = Geod(ellps="WGS84")


def main() -> None:
    """Run the comparison and print its tables."""
    gazetteer = Gazetteer.open(data_file("gazetteer.sqlite"))
    finder = Finder(gazetteer, read_study(data_file("study.json")), read_sites(data_file("sites.csv")).sites)
    codes = sample_codes(data_file("gazetteer.sqlite"))
    places = [gazetteer.lookup(code) for code in codes]
    sites = [site for site in finder.sites if site.place]
    points = np.array([(s.place.coordinates.latitude, s.place.coordinates.longitude) for s in sites if s.place])
    pairs = [tuple(row) for row in points.tolist()]
    starts = [(p.coordinates.latitude, p.coordinates.longitude) for p in places]
    exact = [_brute_force(start, points)[:K] for start in starts]
    index = ChordIndex([site.place.coordinates for site in sites if site.place])
    tree = BallTree(np.radians(points), metric="haversine")
    policy, plain = MatchPolicy(limit=K), MatchPolicy(limit=K, order=Order.DISTANCE)

    def geopy_loop(i: int) -> list[int]:
        distances_km = [geodesic(starts[i], pair).km for pair in pairs]
        return sorted(range(len(pairs)), key=distances_km.__getitem__)[:K]

    def geodistpy_knn(i: int) -> list[int]:
        return [int(j) for j in geodistpy.geodesic_knn(starts[i], points, k=K)[0]]

    def ball_tree(i: int) -> list[int]:
        _, found = tree.query(np.radians([starts[i]]), k=K)
        return [int(j) for j in found[0]]

    def pyproj_all(i: int) -> list[int]:
        latitude, longitude = starts[i]
        n = len(points)
        _, _, metres = GEOD.inv(np.full(n, longitude), np.full(n, latitude), points[:, 1], points[:, 0])
        return [int(j) for j in np.argsort(metres, kind="stable")[:K]]

    def our_index(i: int) -> list[int]:
        return [neighbour.position for neighbour in index.nearest(places[i].coordinates, K)][:K]

    def whole(i: int) -> MatchResult:
        return finder.find(codes[i].code, codes[i].country, policy, NOW)

    def whole_to_json(i: int) -> bytes:
        return msgspec.json.encode(matches_answer(whole(i), finder.study, finder.attribution))

    def whole_by_distance(i: int) -> list[int]:
        result = finder.find(codes[i].code, codes[i].country, plain, NOW)
        order = {site.site_id: j for j, site in enumerate(sites)}
        return [order[match.site.site_id] for match in result.matches]

    def wrong(answer: Callable[[int], Sequence[int]], checked: int = COUNT) -> str:
        bad = sum(list(answer(i)) != exact[i] for i in range(checked))
        return f"wrong: {bad} of {checked}"

    whole_medians = race(
        [
            Contestant("sitematch: text to ranked matches", whole, COUNT),
            Contestant("sitematch: text to JSON", whole_to_json, COUNT),
            Contestant("geopy loop over 46 sites (place known)", geopy_loop, 20),
        ]
    )
    print_table(
        "Whole match",
        whole_medians,
        {
            "sitematch: text to ranked matches": wrong(whole_by_distance) + " (by plain distance)",
            "geopy loop over 46 sites (place known)": wrong(geopy_loop, 60),
        },
    )
    distance_medians = race(
        [
            Contestant("sitematch index", our_index, COUNT),
            Contestant("geodistpy.geodesic_knn", geodistpy_knn, COUNT),
            Contestant("pyproj on all, numpy sort", pyproj_all, COUNT),
            Contestant("scikit-learn BallTree, haversine", ball_tree, COUNT),
        ]
    )
    print_table(
        f"Distance step: the {K} nearest of {len(sites)}",
        distance_medians,
        {
            "sitematch index": wrong(our_index),
            "geodistpy.geodesic_knn": wrong(geodistpy_knn),
            "pyproj on all, numpy sort": wrong(pyproj_all),
            "scikit-learn BallTree, haversine": wrong(ball_tree),
        },
    )
    parts = race(
        [
            Contestant("text to place", lambda i: gazetteer.locate(codes[i].code, codes[i].country), COUNT),
            Contestant("place to ranked matches", lambda i: finder.match_sites(places[i], policy, NOW), COUNT),
        ]
    )
    print_table("Parts of ours", parts, {})
    _against_pgeocode(finder, policy)


def sample_codes(gazetteer_path: Path) -> list[Postcode]:
    """Deal `COUNT` full codes over all countries, the same ones in every run."""
    dice = random.Random(46)
    connection = sqlite3.connect(f"{gazetteer_path.as_uri()}?mode=ro&immutable=1", uri=True)
    by_country: dict[str, list[str]] = {}
    for country, key in connection.execute("SELECT country, key FROM postcode WHERE children = 0"):
        by_country.setdefault(country, []).append(key)
    connection.close()
    countries = sorted(by_country)
    picks = [(countries[i % len(countries)]) for i in range(COUNT)]
    return [Postcode(country=c, code=normal_form(c, dice.choice(by_country[c]))) for c in picks]


def _brute_force(start: tuple[float, float], points: FloatArray) -> list[int]:
    n = len(points)
    _, _, metres = GEOD.inv([start[1]] * n, [start[0]] * n, points[:, 1].tolist(), points[:, 0].tolist())
    return sorted(range(n), key=metres.__getitem__)


def _against_pgeocode(finder: Finder, policy: MatchPolicy) -> None:
    """Compare within the United States, since pgeocode measures only inside one country."""
    sites = [site for site in finder.sites if site.country == "US"]
    zips = [site.postcode[:5] for site in sites]
    us_only = Finder(finder.gazetteer, finder.study, sites)
    plain = MatchPolicy(limit=K, order=Order.DISTANCE)
    with tempfile.TemporaryDirectory() as folder:
        pgeocode_data.write(Path(folder), {"US"})
        os.environ["PGEOCODE_DATA_DIR"] = folder
        import pgeocode  # reads the folder's name at import

        distances = pgeocode.GeoDistance("US")
        dice = random.Random(11)
        codes = dice.sample(sorted(distances._data_frame["postal_code"]), 50)

        def theirs(i: int) -> list[str]:
            km = distances.query_postal_code([codes[i]] * len(zips), zips)
            return [sites[j].site_id for j in np.argsort(km, kind="stable")[:K]]

        def ours(i: int) -> object:
            return us_only.find(codes[i], "US", policy, NOW)

        medians = race([Contestant("sitematch", ours, 50), Contestant("pgeocode.GeoDistance", theirs, 10)], rounds=5)
        wrong = 0
        for i, code in enumerate(codes):
            matches = us_only.match_sites(finder.gazetteer.locate(code, "US"), plain, NOW).matches
            wrong += theirs(i) != [match.site.site_id for match in matches]
        print_table(
            f"Within the United States: {len(zips)} sites, postcode to the {K} nearest",
            medians,
            {"pgeocode.GeoDistance": f"another set or order than ours for {wrong} of {len(codes)}"},
        )


if __name__ == "__main__":
    main()
