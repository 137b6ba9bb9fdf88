from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sitematch.domain.reports.demand import SMALL_ZIP3, DemandCell, month_of, months_before, publishable, region_of

# 45 CFR 164.514(b)(2)(i)(B) at the Census of 2000, as HHS's guidance of 2012-11-26 lists them.
RESTRICTED = [
    "036",
    "059",
    "063",
    "102",
    "203",
    "556",
    "692",
    "790",
    "821",
    "823",
    "830",
    "831",
    "878",
    "879",
    "884",
    "890",
    "893",
]


@pytest.mark.parametrize("prefix", RESTRICTED)
def test_the_seventeen_small_zip_areas_are_counted_together(prefix: str) -> None:
    assert region_of("US", f"{prefix}01") == "US-000"
    assert region_of("US", prefix) == "US-000"
    assert prefix in SMALL_ZIP3


@pytest.mark.parametrize(
    ("country", "postcode", "region"),
    [
        ("US", "33180", "US-331"),
        ("US", "33180-1234", "US-331"),
        ("US", "33", "US"),
        ("US", None, "US"),
        ("DE", "10115", "DE-10"),
        ("GB", "SW1A 1AA", "GB-SW"),
        ("GB", "E1", "GB-E"),
        ("GB", "ZE1 0AA", "GB-000"),
        ("CA", "M5V 3L9", "CA-M"),
        ("FR", "75008", "FR-75"),
        ("PL", "85-065", "PL-85"),
        ("AU", "2010", "AU-2"),
        ("IS", "101", "IS"),
        ("LI", "9490", "LI"),
        ("PR", "00917", "PR"),
        ("FK", "FIQQ 1ZZ", "000"),
        ("VA", "00120", "000"),
        ("", None, ""),
    ],
)
def test_a_look_up_is_counted_by_a_region_of_many_thousand_people(
    country: str, postcode: str | None, region: str
) -> None:
    assert region_of(country, postcode) == region


def test_months_are_those_of_utc_and_run_over_the_turn_of_the_year() -> None:
    assert month_of(datetime(2026, 1, 31, 23, 59, tzinfo=UTC)) == "2026-01"
    assert months_before("2026-02", 3) == ("2025-11", "2025-12", "2026-01")


def test_a_cell_is_shown_from_the_threshold_on() -> None:
    cells = [DemandCell(month="2026-01", region=region, lookups=n) for region, n in (("DE", 22), ("FR", 33))]

    assert [cell.region for cell in publishable(cells, 23)] == ["FR"]
    assert [cell.region for cell in publishable(cells, 22)] == ["DE", "FR"]
