"""The forecast from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sitematch.store import migrate
from sitematch.store.engine import open_store
from tests.cli.conftest import Run
from tests.store.builders import STUDY_ID, Coordinator

NEXT_YEAR = f"{datetime.now(UTC).year + 1}-12-31"


@pytest.fixture
def recruited(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A study that enrolled seven in the last seventy days, and one more spot left at the site that enrolled them."""
    url = f"sqlite:///{tmp_path / 'recruited.db'}"
    monkeypatch.setenv("SITEMATCH_DATABASE_URL", url)
    monkeypatch.setenv("SITEMATCH_STUDY", STUDY_ID)
    with open_store(url, require_ready=False) as store:
        migrate.upgrade(store)
        coordinator = Coordinator(store)
        coordinator.now = datetime.now(UTC) - timedelta(days=71)
        coordinator.cap(20)
        for number in range(7):
            coordinator.later(days=10)
            coordinator.hold(f"r-{number}")
            coordinator.screen(f"r-{number}")
            coordinator.enroll(f"r-{number}")
    return run


def test_forecast_is_printed_with_its_what_if(recruited: Run) -> None:
    result = recruited(
        "report", "forecast", "--by", NEXT_YEAR, "--add-sites", "2", "--close", "site-2", "--cap", "STUDY=30"
    )

    assert result.exit_code == 0, result.stderr
    for words in (
        "Enrolment forecast",
        "7 enrolled",
        f"By {NEXT_YEAR}",
        "What if: 2 more sites, opening at once",
        "the cap of the study is 30",
        "current plan",
    ):
        assert words in result.stdout


def test_day_of_opening_is_taken(recruited: Run) -> None:
    day = (datetime.now(UTC) - timedelta(days=10)).date()

    result = recruited("report", "forecast", "--opened", f"site-2={day}", "--format", "json")

    answer = json.loads(result.stdout)
    rates = next(part["table"] for part in answer["sections"] if part["title"] == "Enrolment rates of the sites")
    since_ledger, since_opening = (row["open_days"] for row in rates["rows"])
    assert since_ledger == 71
    assert since_opening in (10, 11)  # by the hour of the day


def test_fresh_install_says_that_it_has_too_few_data(run: Run) -> None:
    result = run("report", "forecast", "--by", NEXT_YEAR)

    assert result.exit_code == 0
    assert "Nobody has enrolled; a forecast needs 5." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--by", "2020-01-01"), 2, "Give a day after"),
        (("--by", "soon"), 2, "does not match"),
        (("--cap", "ALL=3"), 2, "is not a cap"),
        (("--opened", "NCT06064929-001"), 2, "not SITE=DAY"),
        (("--add-sites", "-1"), 2, "sites can be added"),
        (("--close", "nowhere"), 3, "has no site 'nowhere'"),
    ],
)
def test_what_cannot_be_understood_is_said(run: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = run("report", "forecast", *arguments)

    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr
