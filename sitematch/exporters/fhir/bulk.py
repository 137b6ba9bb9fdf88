"""Spots left, in the format of SMART Scheduling Links: a Schedule and a Slot for each site; see docs/fhir.md."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sitematch.domain import fhir as words
from sitematch.domain.capacity.caps import Availability, CapacityState, LimitedBy
from sitematch.domain.fhir import resource_id
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, Study
from sitematch.exporters.fhir.resources import absent, capacity_status, reference, service_type, spots_left
from sitematch.exporters.fhir.types import Extension, FhirSchedule, FhirSlot

_DAY = timedelta(days=1)
_AVAILABILITY = {
    CapacityState.CAPACITY: "some",
    CapacityState.WAITLIST: "none",
    CapacityState.NO_CAPACITY: "none",
    CapacityState.UNKNOWN: "unknown",
}


def schedule_resource(site: Site, study: Study, available: Availability) -> FhirSchedule:
    """Return the Schedule of a site, with its availability."""
    availability = Extension(url=words.HAS_AVAILABILITY, value_code=_AVAILABILITY[available.state])
    of_study = Extension(url=words.STUDY, value_reference=reference("ResearchStudy", study.study_id, study.title))
    return FhirSchedule(
        id=resource_id(site.site_id),
        extension=(availability, *capacity_status(available.state), of_study),
        active=site.status in TAKING_STATUSES and study.status in TAKING_STATUSES,
        service_type=(service_type(),),
        actor=(reference("Location", site.site_id), reference("HealthcareService", site.site_id)),
    )


def slot_resource(site: Site, study: Study, available: Availability, now: datetime) -> FhirSlot:
    """Return the Slot of a site: whether it could take a patient today.

    Parameters
    ----------
    site, study
        The site and its study.
    available
        Its spots.
    now
        The instant (aware): the slot is the whole day in UTC, because a spot is not an appointment.

    Returns
    -------
    FhirSlot
        ``free``, ``busy`` if the site is full, ``busy-unavailable`` if it takes no patients. If it is unknown whether a
        spot is left, there is a reason instead of a status. So every site always has a slot, and incremental copies
        never keep outdated ones.

    Notes
    -----
    Only a site's own spots have ``slot-capacity``. Otherwise the sum of the slots would count shared spots once for
    each site.
    """
    remaining = available.remaining
    extensions = [spots_left(available)]
    if remaining.drawn_from is LimitedBy.SITE_CAP and remaining.count:
        extensions.insert(0, Extension(url=words.SLOT_CAPACITY, value_integer=remaining.count))
    status = _slot_status(site, study, available.state)
    start = datetime.combine(now.astimezone(UTC).date(), time(), tzinfo=UTC)
    return FhirSlot(
        id=resource_id(site.site_id),
        extension=tuple(extensions),
        schedule=reference("Schedule", site.site_id),
        status=status,
        absent_status=absent("unknown") if status is None else None,
        start=start,
        end=start + _DAY,
    )


def _slot_status(site: Site, study: Study, state: CapacityState) -> str | None:
    if site.status not in TAKING_STATUSES or study.status not in TAKING_STATUSES:
        return "busy-unavailable"
    if state is CapacityState.UNKNOWN:
        return None
    return "free" if state is CapacityState.CAPACITY else "busy"
