"""A study as its registry describes it, and the recruitment status of studies and sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sitematch.domain.studies.design import NO_DESIGN, TrialDesign
from sitematch.domain.studies.travel import TravelSupport


class RecruitmentStatus(StrEnum):
    """ClinicalTrials.gov API v2 values of a study's or a site's status, unchanged.

    The first nine are a site's or a study's; the others only a study's, and so also that of a site that has none of
    its own. ``UNKNOWN`` is a study's that was to end and has not been verified for two years.
    """

    ACTIVE_NOT_RECRUITING = "ACTIVE_NOT_RECRUITING"
    COMPLETED = "COMPLETED"
    ENROLLING_BY_INVITATION = "ENROLLING_BY_INVITATION"
    NOT_YET_RECRUITING = "NOT_YET_RECRUITING"
    RECRUITING = "RECRUITING"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"
    WITHDRAWN = "WITHDRAWN"
    AVAILABLE = "AVAILABLE"
    NO_LONGER_AVAILABLE = "NO_LONGER_AVAILABLE"
    TEMPORARILY_NOT_AVAILABLE = "TEMPORARILY_NOT_AVAILABLE"
    APPROVED_FOR_MARKETING = "APPROVED_FOR_MARKETING"
    WITHHELD = "WITHHELD"
    UNKNOWN = "UNKNOWN"


TAKING_STATUSES = frozenset(
    {RecruitmentStatus.RECRUITING, RecruitmentStatus.ENROLLING_BY_INVITATION, RecruitmentStatus.AVAILABLE}
)
"""Statuses of a study or site in which a spot can be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One part of a participant's way through the study.

    Parameters
    ----------
    name
        ``"screening"``, ``"treatment"``, ``"follow-up"``.
    weeks_min, weeks_max
        How long it takes, in weeks; equal where it is fixed.
    """

    name: str
    weeks_min: int
    weeks_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study, with the figures that patients and coordinators see; each figure is dated by `as_of_on`.

    Parameters
    ----------
    study_id
        The registry's id, e.g. ``"NCT06064929"``.
    title, summary
        In plain language.
    sponsor, conditions, keywords, interventions, phases, other_ids
        As the registry gives them.
    status
        The study's own status.
    pool_spots
        Spots shared by all sites that have none of their own (competitive enrolment); None is unknown.
    travel
        What is paid of the way, unless a site says otherwise.
    time_reimbursement
        Plain words, e.g. ``"varies"``.
    age_min_years, age_max_years
        None where there is no bound.
    sex
        ``"ALL"``, ``"FEMALE"`` or ``"MALE"``.
    timeline
        The parts of a participant's way, in order.
    has_placebo
        Whether a placebo or a sham is given; None is unknown.
    who, who_not
        The main criteria in plain words; they inform and judge nobody's eligibility.
    as_of_on
        The day that the figures describe.
    source
        Where they come from.
    notice
        What must be said with every answer, e.g. that the sites are stand-ins; empty if nothing.
    design
        What the record says of arms, chance and masking.
    """

    study_id: str
    title: str
    status: RecruitmentStatus
    as_of_on: date
    source: str
    summary: str = ""
    sponsor: str = ""
    other_ids: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    pool_spots: int | None = None
    travel: TravelSupport = TravelSupport()
    time_reimbursement: str = ""
    age_min_years: int | None = None
    age_max_years: int | None = None
    sex: str = "ALL"
    timeline: tuple[Phase, ...] = ()
    has_placebo: bool | None = None
    who: tuple[str, ...] = ()
    who_not: tuple[str, ...] = ()
    notice: str = ""
    history: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    design: TrialDesign = NO_DESIGN


def tidy_study_id(text: str) -> str:
    """Bring a study's id as somebody types it into the form that it is stored in.

    Examples
    --------
    >>> tidy_study_id(" nct06064929"), tidy_study_id("Other-7b")
    ('NCT06064929', 'Other-7b')
    """
    named = text.strip()
    # NCT numbers are typed either way; other ids are compared as they are.
    return named.upper() if named[:3].upper() == "NCT" else named
