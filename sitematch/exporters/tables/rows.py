"""The rows of each kind of table, as flat types from which CSV, Excel and NDJSON are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sitematch.domain.capacity.caps import CapacityState, LimitedBy, SiteCapacity
from sitematch.domain.finding.match import Exclusion, MatchResult, SiteMatch
from sitematch.domain.finding.wording import explain
from sitematch.domain.journey.estimate import Journey, Way
from sitematch.domain.place import Precision
from sitematch.domain.studies.site import SITE_COLUMNS, Site
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty, TravelKind
from sitematch.domain.table_cells import Value
from sitematch.domain.units import Unit
from sitematch.exporters.wire.capacity import CapRef
from sitematch.exporters.wire.matches import Instant, Wire, distance_answer


class SiteRow(Wire, frozen=True):
    """All fields of a site, so that importing the row gives the same site: `SITE_COLUMNS` and `PLACE_COLUMNS`."""

    site_id: str
    study_id: str
    source_study: str
    facility: str
    city: str
    state: str
    postcode: str
    country: str
    latitude: float | None
    longitude: float | None
    precision: Precision | None
    uncertainty_km: float | None
    location_source: str | None
    status: RecruitmentStatus
    travel_certainty: TravelCertainty
    travel_kinds: tuple[TravelKind, ...]
    time_reimbursement: str
    spots: int | None
    as_of: date
    flags: tuple[str, ...]
    location_country: str | None
    location_name: str | None
    location_postcode: str | None
    location_notes: tuple[str, ...]
    address: str
    opened_on: date | None
    stand_in: bool


class MatchRow(SiteRow, frozen=True):
    """A site in the result of a look-up, without the person's own place, because such files are kept and passed on."""

    outcome: str
    rank: int | None
    band: int | None
    distance_km: float | None
    distance_uncertainty_km: float | None
    direction: str | None
    minutes: float | None
    minutes_low: float | None
    minutes_high: float | None
    road_km: float | None
    way: Way | None
    remaining: int | None
    drawn_from: LimitedBy | None
    reasons: tuple[str, ...]
    notice: str


class SpotsAtSite(Wire, frozen=True):
    """The spots of a site, with its name."""

    site_id: str
    study_id: str
    facility: str
    city: str
    state: str
    country: str
    capacity_state: CapacityState
    is_open: bool
    cap: int | None
    taken: int
    remaining: int | None
    bound_by: str | None
    over_enrolled: int
    offered: int
    held: int
    screening: int
    enrolled: int
    withdrawn: int
    screen_failed: int
    as_of: Instant


class CapacityRow(SpotsAtSite, frozen=True):
    """The spots of a site, with its location."""

    latitude: float | None
    longitude: float | None


SITE_HEADER = tuple(SiteRow.__struct_fields__)
STATED_SITE_HEADER = SITE_COLUMNS
MATCH_HEADER = (
    *("outcome", "rank", "band", "distance_km", "distance_uncertainty_km", "direction"),
    *("minutes", "minutes_low", "minutes_high", "road_km", "way", "remaining", "drawn_from"),
    *SITE_HEADER,
    *("reasons", "notice"),
)
CAPACITY_HEADER = tuple(CapacityRow.__struct_fields__)
ROW_TYPES: dict[str, type[Wire]] = {"Sites": SiteRow, "Matches": MatchRow, "Capacity": CapacityRow}
"""The type of the rows of each table, by its title."""


def cells(rows: Iterable[Wire], header: Sequence[str]) -> Iterator[tuple[Value, ...]]:
    """Yield the cells of rows, in the header's order."""
    for row in rows:
        yield tuple(_cell(getattr(row, name)) for name in header)


def site_row(site: Site) -> SiteRow:
    """Return the row of a site."""
    return SiteRow(**_site(site))


def match_rows(result: MatchResult, notice: str) -> Iterator[MatchRow]:
    """Yield matches, then left-out sites (outcome ``match`` or ``excluded``).

    Parameters
    ----------
    result
        The result of one look-up.
    notice
        The study's notice.
    """
    for match in result.matches:
        yield MatchRow(
            outcome="match",
            rank=match.rank,
            band=match.band,
            remaining=match.remaining.count,
            drawn_from=match.remaining.drawn_from,
            **_way(match.journey),
            **_found(match, result.unit, notice),
        )
    for exclusion in result.excluded:
        yield MatchRow(
            outcome="excluded",
            rank=None,
            band=None,
            remaining=None,
            drawn_from=None,
            **_way(None),
            **_found(exclusion, result.unit, notice),
        )


def capacity_row(site: Site, capacity: SiteCapacity) -> CapacityRow:
    """Return the row with the spots of a site.

    Parameters
    ----------
    site, capacity
        Both of the same site.
    """
    place = site.place
    return CapacityRow(
        site_id=site.site_id,
        study_id=site.study_id,
        facility=site.facility,
        city=site.city,
        state=site.state,
        country=site.country,
        latitude=None if place is None else place.coordinates.latitude,
        longitude=None if place is None else place.coordinates.longitude,
        capacity_state=capacity.state,
        is_open=capacity.is_open,
        cap=capacity.cap,
        taken=capacity.taken,
        remaining=capacity.remaining,
        bound_by=None if capacity.binding is None else f"{capacity.binding.level} {capacity.binding.scope}".rstrip(),
        over_enrolled=capacity.over_enrolled,
        offered=capacity.offered,
        held=capacity.held,
        screening=capacity.screening,
        enrolled=capacity.enrolled,
        withdrawn=capacity.withdrawn,
        screen_failed=capacity.screen_failed,
        as_of=capacity.as_of,
    )


def _site(site: Site) -> dict[str, Any]:
    place = site.place
    return {
        "site_id": site.site_id,
        "study_id": site.study_id,
        "source_study": site.source_study,
        "facility": site.facility,
        "city": site.city,
        "state": site.state,
        "postcode": site.postcode,
        "country": site.country,
        "latitude": place and place.coordinates.latitude,
        "longitude": place and place.coordinates.longitude,
        "precision": place and place.precision,
        "uncertainty_km": place and place.uncertainty_km,
        "location_source": place and place.source,
        "status": site.status,
        "travel_certainty": site.travel.certainty,
        "travel_kinds": site.travel.kinds,
        "time_reimbursement": site.time_reimbursement,
        "spots": site.spots,
        "as_of": site.as_of_on,
        "flags": site.flags,
        "location_country": place and place.country,
        "location_name": place and place.name,
        "location_postcode": place and place.postcode,
        "location_notes": place.notes if place else (),
        "address": site.address,
        "opened_on": site.opened_on,
        "stand_in": site.is_stand_in,
    }


def _found(found: SiteMatch | Exclusion, unit: Unit, notice: str) -> dict[str, Any]:
    distance = distance_answer(found.distance, unit)
    # If the distance is smaller than the uncertainty, the direction means nothing.
    is_directed = distance is not None and distance.km > distance.uncertainty_km
    return {
        **_site(found.site),
        "distance_km": distance and distance.km,
        "distance_uncertainty_km": distance and distance.uncertainty_km,
        "direction": distance.direction if distance and is_directed else None,
        "reasons": tuple(explain(reason, unit) for reason in found.reasons),
        "notice": notice,
    }


def _way(journey: Journey | None) -> dict[str, Any]:
    minutes, road_km = (journey.minutes, journey.road_km) if journey else (None, None)
    return {
        "minutes": minutes and round(minutes.best, 1),
        "minutes_low": minutes and round(minutes.low_90, 1),
        "minutes_high": minutes and round(minutes.high_90, 1),
        "road_km": road_km and round(road_km.best, 1),
        "way": journey and journey.way,
    }


def _cell(value: Any) -> Value:
    if isinstance(value, CapRef):
        return f"{value.level} {value.scope}".rstrip()
    cell: Value = value
    return cell
