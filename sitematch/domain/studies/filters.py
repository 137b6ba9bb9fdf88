"""Which sites or studies of the whole catalogue are asked for, as far as a database can compare them."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.studies.study import RecruitmentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFilter:
    """Which sites; None does not narrow, an empty set fits none.

    Parameters
    ----------
    site_ids, study_ids
        Ids, compared exactly.
    statuses
        The sites' own statuses.
    countries
        ISO 3166-1 alpha-2.
    takes_patients
        Whether the site's and its study's status both let it take patients.
    """

    site_ids: frozenset[str] | None = None
    study_ids: frozenset[str] | None = None
    statuses: frozenset[RecruitmentStatus] | None = None
    countries: frozenset[str] | None = None
    takes_patients: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFilter:
    """Which studies; None does not narrow, an empty set fits none.

    Parameters
    ----------
    study_ids
        Ids, compared exactly.
    any_ids
        Of each of these sets one has to be the study's id or one of its other ids.
    site_ids
        Studies that have one of these sites.
    statuses
        The studies' own statuses.
    """

    study_ids: frozenset[str] | None = None
    site_ids: frozenset[str] | None = None
    any_ids: tuple[frozenset[str], ...] = ()
    statuses: frozenset[RecruitmentStatus] | None = None
