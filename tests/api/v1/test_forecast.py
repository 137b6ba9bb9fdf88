"""The forecast over HTTP; every answer is checked against the OpenAPI document (see `ServedStudy.check`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.served_study import OTHER_SITE, SITE, ServedStudy

URL = "/v1/reports/forecast"


@pytest.fixture
def recruited(service: ServedStudy) -> ServedStudy:
    """A study that enrolled six in sixty days."""
    for number in range(6):
        service.now += timedelta(days=10)
        service.secrets = {who: service.token(who).secret for who in service.secrets}  # they last for thirty days
        service.hold(f"r-{number}")
        service.move(f"r-{number}", "screening", None)
        service.move(f"r-{number}", "enrollment", {})
    return service


def section(answer: dict[str, Any], title: str) -> dict[str, Any]:
    return next(part for part in answer["sections"] if part["title"] == title)


def test_forecast_and_what_if_are_answered_side_by_side(recruited: ServedStudy) -> None:
    response = recruited.ask(
        "GET", f"{URL}?by=2026-12-31&add_sites=2&close={OTHER_SITE}&cap=STUDY=30&cap=SITE:{SITE}=7"
    )

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json["filters"]["By"] == "2026-12-31"
    as_is, supposed = section(response.json, "What if")["table"]["rows"]
    assert as_is["enrolled_high_80"] == 8
    assert supposed["enrolled_mean"] > as_is["enrolled_mean"]


def test_day_is_the_end_of_a_month_in_half_a_year_unless_said(recruited: ServedStudy) -> None:
    assert recruited.ask("GET", URL).json["filters"]["By"] == "2026-09-30"


def test_too_few_data_are_an_answer_and_not_an_error(service: ServedStudy) -> None:
    response = service.ask("GET", URL)

    assert response.status_code == 200
    assert response.json["sections"][0]["title"] == "Not enough data"


def test_coordinator_reads_of_the_own_site_alone(recruited: ServedStudy) -> None:
    answer = recruited.ask("GET", URL, who="coordinator").json

    assert [row["site_id"] for row in section(answer, "The sites")["table"]["rows"]] == [SITE]
    assert recruited.ask("GET", f"{URL}?close={OTHER_SITE}", who="coordinator").status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("by=2020-01-01", "by"),
        ("by=soon", "by"),
        ("add_sites=201", "add_sites"),
        ("opening=2026", "opening"),
        ("opened=x", "opened"),
        ("cap=STUDY", "cap"),
        ("cap=STUDY=1&cap=STUDY=2", "cap"),
    ],
)
def test_what_cannot_be_understood_is_a_problem_that_names_the_field(
    service: ServedStudy, query: str, field: str
) -> None:
    response = service.ask("GET", f"{URL}?{query}")

    assert (response.status_code, response.json["field"]) == (400, field)
