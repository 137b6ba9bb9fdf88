"""The allocation report: the site and extra distance of each referral, and the obstacles for the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sitematch.domain.capacity.caps import CapKey
from sitematch.domain.reports.allocation import Allocation, Obstacle, Placement, UnplacedReferral
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.reports.document import CellKind, Column, Report, Section, Table
from sitematch.reports.scope import VERSION

_NEEDS = {
    "max_km": "too far away",
    "min_travel": "travel support not sure enough",
    "country": "in another country",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationFacts:
    """The content of the report.

    Parameters
    ----------
    study, as_of, sources
        The study, the time of the caps, and the sources of the locations.
    allocation
        The allocation.
    sites
        The sites that take patients, by id.
    uncertainty_km
        The uncertainty of a referral's place, by its id; missing if it could not be located.
    """

    study: Study
    as_of: datetime
    sources: tuple[str, ...]
    allocation: Allocation
    sites: Mapping[str, Site]
    uncertainty_km: Mapping[str, float]


def allocation_report(facts: AllocationFacts, time_zone: str) -> Report:
    """Return the allocation report.

    Parameters
    ----------
    facts
        The content.
    time_zone
        IANA name.
    """
    notes = [
        "No spots are taken yet: hold one for each referral (`sitematch referral hold`) before others take them.",
        "Distances are straight lines (WGS84 geodesics), not routes by road.",
        "Where a referral comes from is used only to measure distances and is not stored.",
    ]
    if facts.study.notice:
        notes.append(facts.study.notice)
    return Report(
        kind="allocation",
        title="Allocation",
        study_id=facts.study.study_id,
        study_title=facts.study.title,
        as_of=facts.as_of,
        time_zone=time_zone,
        version=VERSION,
        sources=(("Sources", " ".join(facts.sources)),),
        sections=(_placements(facts), _unplaced(facts)),
        notes=tuple(notes),
    )


def _placements(facts: AllocationFacts) -> Section:
    found = facts.allocation
    placed, everybody = len(found.placements), len(found.placements) + len(found.unplaced)
    given_up_km = math.fsum(placement.given_up_km for placement in found.placements)
    text = (
        f"{placed} of {everybody} referrals have a site, over {found.total_km:,.0f} km in all.",
        f"{given_up_km:,.0f} km of this is extra distance, compared with each referral's own best site.",
        "No other allocation within the caps and needs places more referrals, or as many over a shorter distance.",
    )
    table = Table(
        name="placements",
        columns=(
            Column(name="referral_id", label="Referral", kind=CellKind.TEXT),
            Column(name="site_id", label="Site", kind=CellKind.TEXT),
            Column(name="facility", label="Facility", kind=CellKind.TEXT, is_detail=True),
            Column(name="city", label="City", kind=CellKind.TEXT),
            Column(name="country", label="Country", kind=CellKind.TEXT),
            Column(name="km", label="Distance", kind=CellKind.KM),
            Column(
                name="uncertainty_km",
                label="±",
                kind=CellKind.KM,
                description="Uncertainty of the distance, from the independent errors of place and site.",
            ),
            Column(
                name="best_site_id",
                label="Own best distance",
                kind=CellKind.TEXT,
                description="The nearest suitable site with a spot now, if this were the only referral.",
            ),
            Column(name="best_km", label="At", kind=CellKind.KM),
            Column(name="given_up_km", label="Extra distance", kind=CellKind.KM),
        ),
        rows=tuple(_placement(facts, placement) for placement in found.placements),
        totals=(None, None, None, None, None, found.total_km, None, None, None, given_up_km),
    )
    return Section(title="Placements", text=text, table=table)


def _placement(facts: AllocationFacts, placement: Placement) -> tuple[str | float | None, ...]:
    site = facts.sites[placement.site_id]
    site_km = 0.0 if site.place is None else site.place.uncertainty_km
    return (
        placement.referral_id,
        placement.site_id,
        site.facility,
        site.city,
        site.country,
        placement.km,
        math.hypot(facts.uncertainty_km[placement.referral_id], site_km),
        placement.best_site_id,
        placement.best_km,
        placement.given_up_km,
    )


def _unplaced(facts: AllocationFacts) -> Section:
    rows = tuple(
        (one.referral_id, one.obstacle.value, explain(one, len(facts.sites))) for one in facts.allocation.unplaced
    )
    table = Table(
        name="unplaced",
        columns=(
            Column(name="referral_id", label="Referral", kind=CellKind.TEXT),
            Column(name="obstacle", label="Obstacle", kind=CellKind.TEXT),
            Column(name="why", label="Why", kind=CellKind.TEXT),
        ),
        rows=rows,
    )
    text = () if rows else ("Every referral has a site.",)
    return Section(title="Not placed", text=text, table=table)


def explain(unplaced: UnplacedReferral, sites: int) -> str:
    """Return why a referral has no site, in words.

    Parameters
    ----------
    unplaced
        The referral.
    sites
        The number of sites that take patients.

    Examples
    --------
    >>> from sitematch.domain.capacity.caps import CapLevel
    >>> full = CapKey(level=CapLevel.SITE, scope="kiel")
    >>> caps = (CapKey(level=CapLevel.STUDY), full)
    >>> explain(UnplacedReferral(referral_id="r-1", obstacle=Obstacle.CAPS, caps=caps), 9)
    'Full: the cap of the study, the cap of site kiel.'
    """
    if unplaced.obstacle is Obstacle.NOT_LOCATED:
        return "The place could not be located: check the postcode, the town and the country."
    if unplaced.obstacle is Obstacle.CAPS:
        return f"Full: {', '.join(_cap(cap) for cap in unplaced.caps)}."
    if not sites:
        return "No site is taking patients."
    failed = "; ".join(f"{count} {_NEEDS[need]}" for need, count in unplaced.misfits)
    return f"None of {sites} sites fits: {failed}."


def _cap(cap: CapKey) -> str:
    return f"the cap of {cap.words}"
