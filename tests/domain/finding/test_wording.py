"""Every reason has a text that describes it."""

from __future__ import annotations

from datetime import date

import pytest

from sitematch.domain.finding.match import Reason, ReasonCode
from sitematch.domain.finding.wording import explain
from sitematch.domain.units import Unit, compass_point, format_distance


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_is_one_plain_sentence(code: ReasonCode) -> None:
    subject = {
        ReasonCode.TRAVEL_TOO_UNSURE: "NOT_COVERED",
        ReasonCode.NOT_RECRUITING: "SUSPENDED",
        ReasonCode.FULL: "SITE",
        ReasonCode.CLOSED: "COUNTRY",
        ReasonCode.NO_SPOTS: "STUDY",
    }.get(code, "Clinic A")

    text = explain(Reason(code, km=12.5, count=3, subject=subject, on=date(2026, 3, 31), probability=0.84), Unit.KM)

    assert text[0].isupper() or text[0].isdigit()
    assert text.endswith(".")
    assert "None" not in text
    assert "_" not in text


def test_likely_full_names_the_month_and_the_probability() -> None:
    reason = Reason(ReasonCode.LIKELY_FULL, on=date(2026, 3, 31), probability=0.8375)

    assert explain(reason, Unit.KM) == (
        "At the current pace, it is likely to be full by the end of March 2026 (probability about 84 %)."
    )


def test_a_count_of_one_is_singular() -> None:
    assert explain(Reason(ReasonCode.SPOTS_AT_SITE, count=1), Unit.KM) == "1 spot left at this site."


def test_distances_are_told_in_the_asked_unit() -> None:
    reason = Reason(ReasonCode.FARTHER, km=160.9344, subject="Clinic A")

    assert explain(reason, Unit.KM) == "161 km farther than Clinic A."
    assert explain(reason, Unit.MILES) == "100 mi farther than Clinic A."


@pytest.mark.parametrize(("km", "text"), [(0.0, "0.0 km"), (9.94, "9.9 km"), (9.96, "10 km"), (12345.6, "12,346 km")])
def test_a_distance_shows_no_more_digits_than_help(km: float, text: str) -> None:
    assert format_distance(km, Unit.KM) == text


@pytest.mark.parametrize(
    ("azimuth_deg", "point"),
    [(0, "N"), (11.24, "N"), (11.26, "NNE"), (359.9, "N"), (-11.3, "NNW"), (180, "S"), (-180, "S")],
)
def test_directions_round_to_the_nearest_of_sixteen_points(azimuth_deg: float, point: str) -> None:
    assert compass_point(azimuth_deg) == point
