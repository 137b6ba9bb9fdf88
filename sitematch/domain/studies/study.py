"""A study as its registry describes it, and the recruitment status of studies and sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sitematch.domain.studies.design import NO_DESIGN, TrialDesign
from sitematch.domain.studies.travel import TravelSupport


class RecruitmentStatus(StrEnum):
    """ClinicalTrials.gov API v2 values of a study's or a site's status, unchanged.

    The first nine are statuses of sites or studies. The others belong only to studies, and to sites that inherit them.
    ``UNKNOWN`` is the status of a study that should have ended and has not been verified for two years.
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
    """One part of the study for a participant.

    Parameters
    ----------
    name
        ``"screening"``, ``"treatment"``, ``"follow-up"``.
    weeks_min, weeks_max
        How long it takes, in weeks; equal if the duration is fixed.
    """

    name: str
    weeks_min: int
    weeks_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study, with the figures that patients and coordinators see; `as_of_on` is the date of each figure.

    Parameters
    ----------
    study_id
        The registry's id, e.g. ``"NCT06064929"``.
    title, summary
        In plain language.
    sponsor, conditions, keywords, interventions, phases, other_ids
        As in the registry.
    status
        The study's own status.
    pool_spots
        Spots that all sites without their own spots share (competitive enrolment); None is unknown.
    travel
        The travel support, unless a site states its own.
    time_reimbursement
        Plain words, e.g. ``"varies"``.
    age_min_years, age_max_years
        None if there is no limit.
    sex
        ``"ALL"``, ``"FEMALE"`` or ``"MALE"``.
    timeline
        The parts of the study for a participant, in order.
    has_placebo
        Whether a placebo or sham treatment is given; None is unknown.
    who, who_not
        The main criteria in plain words, for information only; they do not decide who is eligible.
    as_of_on
        The date that the figures describe.
    source
        Where they come from.
    notice
        A text that must be shown with every answer, e.g. that the sites are stand-ins; empty if there is none.
    design
        What the record says about arms, allocation and masking.
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
    """Return a study id that a person typed in the form in which it is stored.

    Examples
    --------
    >>> tidy_study_id(" nct06064929"), tidy_study_id("Other-7b")
    ('NCT06064929', 'Other-7b')
    """
    named = text.strip()
    # People type NCT numbers in either case; other ids are compared unchanged.
    return named.upper() if named[:3].upper() == "NCT" else named
