"""What the page says one can do when a clinic, or the whole study, takes no patients now."""

from __future__ import annotations

import pytest
from flask import Flask

from api.pages import wording
from sitematch.domain.capacity.caps import CapLevel
from sitematch.domain.finding.match import Reason, ReasonCode
from sitematch.domain.studies.study import TAKING_STATUSES, RecruitmentStatus


def said(app: Flask, *reasons: Reason) -> str:
    with app.test_request_context():
        return wording.next_step(reasons)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RecruitmentStatus.NOT_YET_RECRUITING, "may open later"),
        (RecruitmentStatus.SUSPENDED, "may start again"),
        (RecruitmentStatus.UNKNOWN, "Ask the study team"),
        (RecruitmentStatus.COMPLETED, "Choose another clinic"),
    ],
)
def test_clinic_that_takes_no_patients_says_what_one_can_do(app: Flask, status: RecruitmentStatus, words: str) -> None:
    assert words in said(app, Reason(ReasonCode.NOT_RECRUITING, subject=status.value))


@pytest.mark.parametrize("status", [status for status in RecruitmentStatus if status not in TAKING_STATUSES])
def test_every_state_has_a_next_step(app: Flask, status: RecruitmentStatus) -> None:
    assert said(app, Reason(ReasonCode.NOT_RECRUITING, subject=status.value))


@pytest.mark.parametrize("level", list(CapLevel))
@pytest.mark.parametrize("code", [ReasonCode.FULL, ReasonCode.NO_SPOTS, ReasonCode.CLOSED])
def test_full_and_closed_clinics_have_a_next_step_at_every_level(app: Flask, code: ReasonCode, level: CapLevel) -> None:
    assert said(app, Reason(code, subject=level.value))


def test_clinic_with_a_waiting_list_says_so_once(app: Flask) -> None:
    full = Reason(ReasonCode.FULL, subject=CapLevel.SITE.value)

    assert said(app, full, Reason(ReasonCode.WAITING_LIST)) == ""


def test_clinic_that_is_only_filtered_needs_no_next_step(app: Flask) -> None:
    assert said(app, Reason(ReasonCode.TOO_FAR, km=10.0)) == ""
