"""Where a site's status comes from: its own record, its study, a person, an earlier record, or no source."""

from __future__ import annotations

from enum import StrEnum

from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus

STATUS_INHERITED = "The record gives no status for this site, so the study's status is shown."
"""Flag of a site that has its study's status; sites inherit only statuses that are closed to new patients."""

STATUS_SILENT = "The record gives no status for this site."
"""Flag of a site whose status is UNKNOWN because no source states it."""

STATUS_ASSUMED = "The record gives no status for this site. The status was given at the import."
"""Flag of a site whose status was given at the import for all sites without one."""

STATUS_KEPT = "The record gives no status for this site. The earlier status was kept, as of "
"""Beginning of the flag of a site whose status comes from an earlier record; a day follows."""

TAKES_NOBODY = frozenset(
    {
        RecruitmentStatus.ACTIVE_NOT_RECRUITING,
        RecruitmentStatus.COMPLETED,
        RecruitmentStatus.NOT_YET_RECRUITING,
        RecruitmentStatus.SUSPENDED,
        RecruitmentStatus.TERMINATED,
        RecruitmentStatus.WITHDRAWN,
        RecruitmentStatus.NO_LONGER_AVAILABLE,
        RecruitmentStatus.TEMPORARILY_NOT_AVAILABLE,
        RecruitmentStatus.APPROVED_FOR_MARKETING,
    }
)
"""Statuses of a study that also apply to its sites. A study that takes patients can have sites that do not."""


class StatusOrigin(StrEnum):
    """Where a site's status comes from."""

    STATED = "stated"
    INHERITED = "inherited"
    ASSUMED = "assumed"
    KEPT = "kept"
    UNKNOWN = "unknown"


def status_origin(site: Site) -> StatusOrigin:
    """Return where a site's status comes from, based on its flags."""
    if STATUS_INHERITED in site.flags:
        return StatusOrigin.INHERITED
    if STATUS_ASSUMED in site.flags:
        return StatusOrigin.ASSUMED
    if any(flag.startswith(STATUS_KEPT) for flag in site.flags):
        return StatusOrigin.KEPT
    return StatusOrigin.UNKNOWN if site.status is RecruitmentStatus.UNKNOWN else StatusOrigin.STATED


def kept_flag(before: Site) -> str:
    """Return the flag of a site that keeps its earlier status; the day is the date of the record with that status."""
    earlier = next((flag for flag in before.flags if flag.startswith(STATUS_KEPT)), "")
    return earlier or f"{STATUS_KEPT}{before.as_of_on.isoformat()}."
