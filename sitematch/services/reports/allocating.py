"""Allocating a batch of referrals to a study's sites with the spots left now; it takes no spot."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sitematch.domain.accounts.access import Actor, Permission, require
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.finding.policy import MatchPolicy
from sitematch.domain.place import Place
from sitematch.domain.reports.allocation import AllocationRequest, AllocationSite, allocate
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES, Study
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.time_zones import zone_named
from sitematch.errors import DataFault, Fault, InvalidInput, SitematchError
from sitematch.gazetteer.grammar import parse_country
from sitematch.gazetteer.locate import Gazetteer
from sitematch.reports.allocation import AllocationFacts, allocation_report
from sitematch.reports.document import Report
from sitematch.store.capacity import counting
from sitematch.store.capacity.ledger_changes import has_ledger
from sitematch.store.capacity.writing import require_referral_id
from sitematch.store.engine import Store
from sitematch.store.studies import catalogue

MAX_REFERRALS = 2_000
"""Maximum number of referrals in one batch."""

COLUMNS = ("referral_id", "postcode", "town", "country", "within_km", "min_travel", "only_country", "arm")
"""Columns of a file of referrals; only the first and one of the next two are required."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRow:
    """One referral of a batch.

    Parameters
    ----------
    referral_id
        Opaque; see `sitematch.domain.capacity.spot`.
    postcode, town, country
        Where the person is, for `Finder.find`; used only to measure distances.
    within_km, min_travel, only_country, arm
        The requirements; see `AllocationRequest`. `only_country` is a name or a code.
    """

    referral_id: str
    # Not in the representation, because a traceback or a log must not show where somebody is.
    postcode: str = field(default="", repr=False)
    town: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)
    within_km: float | None = None
    min_travel: TravelCertainty | None = None
    only_country: str | None = None
    arm: str | None = None


def report_allocation(
    gazetteer: Gazetteer,
    store: Store,
    actor: Actor,
    study_id: str,
    rows: Sequence[ReferralRow],
    now: datetime,
    *,
    time_zone: str = "UTC",
) -> Report:
    """Assign a batch of referrals to sites, with the extra distance of each and the obstacle for the others.

    Parameters
    ----------
    gazetteer
        Turns texts into places.
    store, actor, study_id, now
        As in `sitematch.services.capacity.coordinating`.
    rows
        The batch, at most `MAX_REFERRALS`.
    time_zone
        IANA name of the zone in which instants are shown.

    Raises
    ------
    NotAllowed
        If the actor may not read reports of the whole study, because the result depends on all spots.
    InvalidInput
        If a row is invalid, or an id occurs twice.
    StudyNotFound, LedgerBusy, StorageFault, NotReady
        If the catalogue or the ledger cannot be read.
    """
    require(actor, Permission.REPORTS_READ, study_id=study_id)
    zone_named(time_zone)
    if not 1 <= len(rows) <= MAX_REFERRALS:
        raise InvalidInput(f"Give 1 to {MAX_REFERRALS} referrals.", field="referrals")
    study = catalogue.read_study(store, study_id)
    sites = _taking(study, catalogue.read_sites(store, study_id))
    requests = [_request(row) for row in rows]
    places = [_place(gazetteer, row, sites) for row in rows]
    found = allocate(
        requests,
        [AllocationSite(site_id=site.site_id, country=site.country, travel=site.travel.certainty) for site in sites],
        _distances(places, sites),
        _room(store, study, sites, now),
    )
    facts = AllocationFacts(
        study=study,
        as_of=now,
        sources=tuple(source.attribution for source in gazetteer.sources()),
        allocation=found,
        sites={site.site_id: site for site in sites},
        uncertainty_km={
            row.referral_id: place.uncertainty_km for row, place in zip(rows, places, strict=True) if place is not None
        },
    )
    return allocation_report(facts, time_zone)


def _taking(study: Study, sites: Sequence[Site]) -> list[Site]:
    """Return the sites that take patients and have a location; caps decide about spots."""
    if study.status not in TAKING_STATUSES:
        return []
    statuses = MatchPolicy().statuses
    return [site for site in sites if site.place is not None and site.status in statuses]


def _request(row: ReferralRow) -> AllocationRequest:
    require_referral_id(row.referral_id)
    return AllocationRequest(
        referral_id=row.referral_id,
        max_km=row.within_km,
        min_travel=row.min_travel,
        country=None if row.only_country is None else parse_country(row.only_country),
        arm=row.arm,
    )


def _place(gazetteer: Gazetteer, row: ReferralRow, sites: Sequence[Site]) -> Place | None:
    """Locate a referral; None if that is not possible. The reason may repeat what was typed."""
    try:
        return gazetteer.locate(
            row.postcode, row.country, town=row.town, hints=sorted({site.country for site in sites})
        )
    except SitematchError:
        return None


def _distances(places: Sequence[Place | None], sites: Sequence[Site]) -> list[list[float]]:
    from sitematch.geo.reach import pairwise_km
    from sitematch.services.reports.coverage import points_of, site_points

    located = [place for place in places if place is not None]
    measured = iter(pairwise_km(points_of(located), site_points(sites)).tolist())
    nowhere = [float("inf")] * len(sites)
    return [nowhere if place is None else next(measured) for place in places]


def _room(store: Store, study: Study, sites: Sequence[Site], now: datetime) -> dict[CapKey, int]:
    """Return the spots left under each cap now; without a ledger, the numbers that the study states."""
    if not has_ledger(store, study.study_id):
        room = {CapKey(level=CapLevel.SITE, scope=site.site_id): site.spots for site in sites}
        room[CapKey(level=CapLevel.STUDY)] = study.pool_spots
        return {key: spots for key, spots in room.items() if spots is not None}
    return {
        usage.key: 0 if usage.is_closed else usage.remaining or 0
        for usage in counting.caps(store, study.study_id, now)
        if usage.is_closed or usage.remaining is not None
    }


def read_referrals(path: Path) -> list[ReferralRow]:
    """Read a batch from a CSV or JSON file.

    Parameters
    ----------
    path
        CSV with a header, or a JSON list of objects (by its ending, ``.json``), UTF-8; the fields are `COLUMNS`.

    Raises
    ------
    DataFault
        If it cannot be read or a row is invalid; the message does not repeat its values.
    """
    try:
        if path.suffix.lower() == ".json":
            import msgspec

            values = msgspec.json.decode(path.read_bytes())
            if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
                raise _fault(path, 0, "", "not a list of objects")
            return [_row(path, number, value) for number, value in enumerate(values, start=1)]
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            return [_row(path, reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        if isinstance(error, SitematchError):
            raise
        raise _fault(path, 0, "", "neither CSV nor JSON in UTF-8") from None


def _row(path: Path, line: int, values: dict[str, object]) -> ReferralRow:
    unknown = sorted(str(name) for name in values if name not in COLUMNS)
    if unknown:
        raise _fault(path, line, unknown[0], f"no such field; the fields are: {', '.join(COLUMNS)}")
    texts = {name: str(value).strip() for name, value in values.items() if value not in (None, "")}
    if "referral_id" not in texts:
        raise _fault(path, line, "referral_id", "missing")
    try:
        within_km = float(texts["within_km"]) if "within_km" in texts else None
    except ValueError:
        raise _fault(path, line, "within_km", "not a number of kilometres") from None
    try:
        travel = TravelCertainty(texts["min_travel"].upper()) if "min_travel" in texts else None
    except ValueError:
        raise _fault(path, line, "min_travel", f"not one of {', '.join(TravelCertainty)}") from None
    return ReferralRow(
        referral_id=texts["referral_id"],
        postcode=texts.get("postcode", ""),
        town=texts.get("town"),
        country=texts.get("country"),
        within_km=within_km,
        min_travel=travel,
        only_country=texts.get("only_country"),
        arm=texts.get("arm"),
    )


def _fault(path: Path, line: int, field_name: str, reason: str) -> DataFault:
    fault = Fault(line=line, field=field_name, value="", reason=reason)
    return DataFault(f"{path.name}: {fault}.", faults=[fault])
