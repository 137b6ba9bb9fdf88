"""A data frame of patients to a data frame of their sites: exactly what one look-up after the other gives."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sitematch
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.errors import InvalidInput, InvalidPolicy, SitematchError
from sitematch.library.many import match_frame
from sitematch.services.finding.finder import Finder
from sitematch.services.finding.many import MATCH_COLUMNS
from sitematch.services.finding.together import RankedTogether
from tests.builders import NOW

PATIENTS = [
    ("33180", "US"),
    ("04102", "US"),
    ("4102", "US"),
    (" 33180 ", "USA"),
    ("SW1A 1AA", "GB"),
    ("10115", "Germany"),
    ("10115", ""),
    ("99999", "DE"),
    ("260-8712", "JP"),
    ("", "DE"),
    ("Springfield", "US"),
    ("Hamburg", "DE"),
    ("33180", "Atlantis"),
    (None, None),
]
POLICIES = [
    MatchPolicy(),
    MatchPolicy(limit=1),
    MatchPolicy(limit=3, within_km=500.0),
    MatchPolicy(limit=60, prefer_country="DE"),
    MatchPolicy(country="JP", limit=4),
    MatchPolicy(min_spots=1000),
]


def matched(finder: Finder, frame: Any, policy: MatchPolicy = MatchPolicy(), **how: Any) -> sitematch.MatchedFrame:  # noqa: B008
    options: dict[str, Any] = {"postcode": None, "country": None, "in_country": None, "patient": None, "languages": ()}
    return match_frame(finder, frame, policy, NOW, **options | how)


def expected(finder: Finder, rows: list[tuple[Any, Any]], policy: MatchPolicy) -> tuple[list[Any], list[Any]]:
    """Look up one patient after the other; many look-ups estimate no times by car."""
    finder = finder.without_times()
    matches: list[Any] = []
    rejects: list[Any] = []
    for row, (code, country) in enumerate(rows):
        try:
            found = finder.find((code or "").strip(), country or None, policy, NOW)
        except SitematchError as error:
            rejects.append((row, type(error).__name__, error.message))
            continue
        if not found.matches:
            rejects.append((row, "NoMatch", "No site can take a patient now."))
        for match in found.matches:
            distance = match.distance
            codes = " ".join(reason.code for reason in match.reasons)
            km = None if distance is None else (distance.km, distance.uncertainty_km, distance.direction)
            matches.append((row, match.rank, match.band, match.site.site_id, km, match.remaining.count, codes))
    return matches, rejects


def rows_of(frame: pd.DataFrame) -> list[Any]:
    return [
        (
            row.patient,
            row.rank,
            row.band,
            row.site_id,
            None if pd.isna(row.distance_km) else (row.distance_km, row.distance_uncertainty_km, row.direction),
            None if pd.isna(row.remaining) else row.remaining,
            row.reasons,
        )
        for row in frame.itertuples()
    ]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.sampled_from(PATIENTS), max_size=25), policy=st.sampled_from(POLICIES))
def test_every_patient_gets_what_a_look_up_of_their_own_gives(
    finder: Finder, rows: list[tuple[Any, Any]], policy: MatchPolicy
) -> None:
    frame = pd.DataFrame(rows, columns=["postcode", "country"])

    found = matched(finder, frame, policy)

    matches, rejects = expected(finder, rows, policy)
    assert rows_of(found.matches) == matches
    assert [(row.patient, row.code, row.why) for row in found.rejects.itertuples()] == rejects
    assert {*found.matches["patient"]} | {*found.rejects["patient"]} == set(range(len(rows)))
    assert not {*found.matches["patient"]} & {*found.rejects["patient"]}


def test_each_distinct_place_is_ranked_once(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked: list[Place] = []
    rank = RankedTogether.rank
    monkeypatch.setattr(RankedTogether, "rank", lambda self, places: ranked.extend(places) or rank(self, places))
    frame = pd.DataFrame({"zip": ["33180", " 33180", "33180", "04102"] * 50, "country": "US"})

    found = matched(finder, frame)

    assert (found.patients, found.distinct, len(ranked)) == (200, 2, 2)
    assert len(found.matches) == 200 * 5


def test_codes_that_a_spreadsheet_turned_into_numbers_are_read(finder: Finder) -> None:
    found = matched(finder, pd.DataFrame({"zip": [33180.0, float("nan")]}), MatchPolicy(limit=1), in_country="US")

    assert list(found.matches["city"]) == ["Aventura"]
    assert list(found.rejects["patient"]) == [1]


def test_patients_keep_their_index_or_their_own_id(finder: Finder) -> None:
    frame = pd.DataFrame({"postcode": ["33180", "x"], "pid": ["a", "b"]}, index=[70, 71])

    by_index = matched(finder, frame, MatchPolicy(limit=1), in_country="US")
    by_id = matched(finder, frame, MatchPolicy(limit=1), in_country="US", patient="pid")

    assert (list(by_index.matches["patient"]), list(by_index.rejects["patient"])) == ([70], [71])
    assert (list(by_id.matches["patient"]), list(by_id.rejects["patient"])) == (["a"], ["b"])


def test_a_town_with_its_state_is_found(finder: Finder) -> None:
    frame = pd.DataFrame({"City": ["Springfield"], "State": ["Illinois"], "Country": ["US"]})

    found = matched(finder, frame, MatchPolicy(limit=1))

    place = finder.locate("", "US", town="Springfield, Illinois")
    assert found.matches["distance_km"][0] == finder.match_sites(place, MatchPolicy(), NOW).matches[0].distance.km  # type: ignore[union-attr]


def test_coordinates_are_matched_and_wrong_ones_are_rejected(finder: Finder) -> None:
    frame = pd.DataFrame({"lat": [25.96, None, 25.96, 95.0, "north", 0], "lon": [-80.14, None, None, 0.0, 1.0, 0]})

    found = matched(finder, frame, MatchPolicy(limit=1))

    here = Place(
        coordinates=Coordinates(latitude=25.96, longitude=-80.14),
        precision=Precision.ADDRESS,
        uncertainty_km=0.0,
        source="as given",
    )
    wanted = finder.match_sites(here, MatchPolicy(limit=1), NOW).matches[0]
    assert list(found.matches["site_id"]) == [wanted.site.site_id]
    assert list(found.rejects["patient"]) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_the_same_kind_comes_back_with_the_same_rows(finder: Finder, kind: str) -> None:
    library = pytest.importorskip(kind)
    columns = {"postcode": [code for code, _ in PATIENTS], "country": [country for _, country in PATIENTS]}
    frame = library.DataFrame(columns) if kind == "polars" else library.table(columns)
    wanted = matched(finder, pd.DataFrame(columns))

    found = matched(finder, frame)

    for name, header in (("matches", ("patient", *MATCH_COLUMNS)), ("rejects", ("patient", "code", "why"))):
        part, other = getattr(found, name), getattr(wanted, name)
        assert type(part) is type(frame)
        for column in header:
            values = part[column].to_list() if kind == "polars" else part.column(column).to_pylist()
            assert values == [None if pd.isna(value) else value for value in other[column].tolist()], column


def test_an_empty_frame_gives_empty_frames_with_all_columns(finder: Finder) -> None:
    found = matched(finder, pd.DataFrame({"postcode": []}))

    assert tuple(found.matches.columns) == ("patient", *MATCH_COLUMNS)
    assert len(found.matches) == len(found.rejects) == 0


@pytest.mark.parametrize(
    ("frame", "how", "field"),
    [
        ([["33180"]], {}, "frame"),
        (pd.DataFrame({"name": ["x"]}), {}, "postcode"),
        (pd.DataFrame({"zip": ["x"]}), {"postcode": "code"}, "postcode"),
        (pd.DataFrame({"zip": ["x"]}), {"country": "land"}, "country"),
        (pd.DataFrame({"zip": ["x"]}), {"patient": "id"}, "patient"),
    ],
)
def test_a_frame_that_cannot_be_read_is_refused(finder: Finder, frame: Any, how: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        matched(finder, frame, **how)

    assert caught.value.field == field


def test_the_package_matches_a_frame_in_one_line() -> None:
    frame = pd.DataFrame({"postcode": ["33180", "10115"], "country": ["US", "DE"]})

    found = sitematch.match_many(frame, k=1)

    assert list(found.matches["city"]) == ["Aventura", "Kiel"]
    assert repr(found) == "<MatchedFrame: 2 patients, 0 of them in rejects>"
    with pytest.raises(InvalidPolicy):
        sitematch.match_many(frame, limit=1)
