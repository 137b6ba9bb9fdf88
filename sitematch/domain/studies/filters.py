"""Filters for sites and studies of the whole catalogue, for conditions that a database can compare."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.studies.study import RecruitmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFilter:
    """A filter for sites; None means no limit, an empty set matches nothing.

    Parameters
    ----------
    site_ids, study_ids
        Ids, compared exactly.
    statuses
        The sites' own statuses.
    countries
        ISO 3166-1 alpha-2.
    takes_patients
        Whether the statuses of the site and its study both allow it to take patients.
    """

    site_ids: frozenset[str] | None = None
    study_ids: frozenset[str] | None = None
    statuses: frozenset[RecruitmentStatus] | None = None
    countries: frozenset[str] | None = None
    takes_patients: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFilter:
    """A filter for studies; None means no limit, an empty set matches nothing.

    Parameters
    ----------
    study_ids
        Ids, compared exactly.
    any_ids
        Each of these sets must contain the study's id or one of its other ids.
    site_ids
        Studies that have one of these sites.
    statuses
        The studies' own statuses.
    """

    study_ids: frozenset[str] | None = None
    site_ids: frozenset[str] | None = None
    any_ids: tuple[frozenset[str], ...] = ()
    statuses: frozenset[RecruitmentStatus] | None = None
