"""The forecast's report: what a coordinator reads, in every format, and the same each time."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import msgspec
import pytest

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.reports.document import Report, Table
from sitematch.reports.forecast.outlook import outlook
from sitematch.reports.forecast.plan import WhatIf
from sitematch.reports.forecast.sheet import sheet
from sitematch.reports.plot import FanPlot
from sitematch.reports.render import Format, render
from sitematch.reports.scope import Scope
from tests.reports.forecast_builders import NOW, STUDY, make_recruited, make_recruitment, site_key

BY = date(2026, 6, 30)


def report(
    *sites: object, what_if: WhatIf | None = None, scope: dict[str, object] | None = None, **changes: object
) -> Report:
    found = outlook(make_recruitment(*sites, **changes), BY, UTC, what_if=what_if, courses=500)  # type: ignore[arg-type]
    asked = Scope(study_id="NCT00000001", study_title="A study", **(scope or {}))  # type: ignore[arg-type]
    return sheet(found, asked, facilities={"a": "Clinic A"}, opened={}, ledger=(100, "ab" * 32))


def texts(found: Report, title: str) -> str:
    return " ".join(next(section for section in found.sections if section.title == title).text)


def table(found: Report, name: str) -> Table:
    return next(item for item in found.tables if item.name == name)


def column(found: Table, name: str) -> list[object]:
    at = [column.name for column in found.columns].index(name)
    return [row[at] for row in found.rows]


def test_finding_is_said_in_words_with_its_uncertainty() -> None:
    found = report(caps={STUDY: 40})

    said = texts(found, "The study")
    last = table(found, "by-date").rows[-1]
    assert "12 enrolled from 2025-10-07 to 2026-01-15: 100 days of the ledger." in said
    assert f"By 2026-06-30 {last[1]} are expected in all: 50 % interval {last[2]} to {last[3]}" in said
    assert f"About {last[8]} of the study's 40 spots are left then (80 % interval {last[9]} to {last[10]})" in said
    assert "The study is full about" in said


def test_fan_starts_where_the_observed_ends_and_names_the_cap() -> None:
    plot = report(caps={STUDY: 40}).sections[0].plot

    assert isinstance(plot, FanPlot)
    assert plot.observed.points[0] == (date(2025, 10, 7), 0)
    assert plot.observed.points[-1] == plot.expected.points[0] == (NOW.date(), 12)
    assert [band.label for band in plot.bands] == ["95 % interval", "80 % interval", "50 % interval"]
    assert [level.value for level in plot.levels] == [40]


def test_too_few_data_are_said_and_no_number_is_guessed() -> None:
    found = report(make_recruited("a", enrolled=2, participants=2), caps={STUDY: 40})

    assert found.sections[0].title == "Not enough data"
    assert "Only 2 people have enrolled; a forecast needs 5." in texts(found, "Not enough data")
    assert [item.name for item in found.tables] == ["sites", "screening"]
    assert [column.name for column in table(found, "sites").columns] == [
        "site_id",
        "facility",
        "country",
        "open_since",
        "open_since_by",
        "open_days",
        "enrolled",
    ]
    assert all(section.plot is None for section in found.sections)


def test_what_if_stands_beside_things_as_they_are() -> None:
    found = report(what_if=WhatIf(add_sites=2, opening=date(2026, 3, 1), close=("a",)), caps={STUDY: 40})

    assert column(table(found, "what-if"), "scenario") == ["current plan", "what if"]
    assert "What if: 2 more sites, opening on 2026-03-01; a closes to new patients." in texts(found, "What if")
    assert ("What if", "2 more sites, opening on 2026-03-01; a closes to new patients") in found.filters


def test_states_of_sites_are_told_apart() -> None:
    unopened = make_recruited(
        "d", enrolled=0, participants=0, open_for=timedelta(0), takes_patients=False, was_used=False
    )
    sites = (
        make_recruited("a"),
        make_recruited("b", takes_patients=False),
        make_recruited("c", enrolled=5, participants=5),
        unopened,
    )

    found = report(*sites, caps={site_key("c"): 5})

    assert column(table(found, "sites"), "state") == ["open", "closed to new patients", "full", "not open yet"]
    assert any("left out: 1." in note for note in found.notes)


def test_sites_that_the_reader_may_not_see_are_not_listed_and_that_is_said() -> None:
    found = report(scope={"visible": frozenset({"b"})})

    assert column(table(found, "sites"), "site_id") == ["b"]
    assert column(table(found, "site-rates"), "site_id") == ["b"]
    assert any("Not every site is listed" in note for note in table(found, "sites").notes)
    assert "screening" not in [item.name for item in found.tables]
    assert any("shown only to people who can see every site" in note for note in found.notes)


def test_screening_is_said_with_its_interval() -> None:
    found = report(make_recruited("a", enrolled=6, held=2, screening=1), screen_failed=4, holds=20, screened=12)

    said = texts(found, "Referrals in progress and screening")
    assert "In progress now: 2 held, 1 in screening." in said
    # Beta(4.5, 6.5): its 2.5 % and 97.5 % quantiles.
    assert "4 of 10 completed screenings failed: 40 % (95 % interval 15 % to 70 %)." in said


def test_study_in_which_nothing_was_decided_has_no_failure_rate() -> None:
    found = report(make_recruited(enrolled=0, participants=0), screen_failed=0, screened=0, holds=0)

    assert "No screening has been completed" in texts(found, "Referrals in progress and screening")
    assert column(table(found, "screening"), "failure_rate") == [None]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"since": NOW - timedelta(days=40)}, "times as far ahead"),
        ({"caps": {CapKey(level=CapLevel.ARM, scope="x"): 3}}, "Caps of arms are not included"),
        ({"keeps_failed": True}, "a failed screening keeps its spot"),
    ],
)
def test_what_the_forecast_leaves_out_is_said(changes: dict[str, object], said: str) -> None:
    assert any(said in note for note in report(**changes).notes)
    assert not any(said in note for note in report().notes)


@pytest.mark.parametrize("form", [Format.JSON, Format.CSV, Format.XLSX, Format.HTML])
def test_same_inputs_give_the_same_bytes(form: Format) -> None:
    first, again = (report(caps={STUDY: 40}, what_if=WhatIf(add_sites=1)) for _ in range(2))

    assert first == again
    assert render(first, form) == render(again, form)


def test_program_reads_every_number_from_json() -> None:
    found = report(caps={STUDY: 40})

    read = msgspec.json.decode(render(found, Format.JSON))

    rows = read["sections"][0]["table"]["rows"]
    assert read["kind"] == "forecast"
    assert read["sources"]["Simulation"] == "500 courses from seed 20260101, for the sites"
    assert [row["enrolled_median"] for row in rows] == column(table(found, "by-date"), "enrolled_median")
    assert rows[-1]["full_probability"] == column(table(found, "by-date"), "full_probability")[-1]
