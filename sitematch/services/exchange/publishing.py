"""The bulk publication of sites and their spots: whole files, or what may have changed since a given time."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from sitematch.domain.capacity.caps import Availability
from sitematch.domain.studies.filters import StudyFilter
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.errors import InvalidInput
from sitematch.exporters.fhir.bulk import schedule_resource, slot_resource
from sitematch.exporters.fhir.resources import location_resource, service_resource
from sitematch.exporters.fhir.types import Resource
from sitematch.services.capacity.coordinating import OVERLAP, may_have_changed
from sitematch.services.finding.availability import read_availability
from sitematch.store.capacity import counting, ledger_changes
from sitematch.store.engine import Store
from sitematch.store.studies import directory
from sitematch.store.studies.catalogue import catalogue_version

_STUDIES_A_READ = 100
_FORM = "1"
"""Increased when the same data is written in another way, so that earlier copies are fetched again."""


class File(StrEnum):
    """The files of a publication, by the type of their resources."""

    LOCATION = "Location"
    HEALTHCARE_SERVICE = "HealthcareService"
    SCHEDULE = "Schedule"
    SLOT = "Slot"


@dataclass(frozen=True, slots=True)
class State:
    """The state that a publication depends on.

    Parameters
    ----------
    catalogue
        See `catalogue_version`.
    heads
        The end of each ledger, by study_id.
    lapsed_us
        When the last hold lapsed, which changes numbers without an event.
    now
        The instant (aware).
    """

    catalogue: str
    heads: dict[str, str]
    lapsed_us: int
    now: datetime

    def version(self, file: File) -> str:
        """Return a version that changes whenever a file's content does."""
        parts: list[object] = [_FORM, file, self.catalogue]
        if file is not File.LOCATION:
            parts += [sorted(self.heads.items()), self.lapsed_us]
        if file is File.SLOT:
            parts.append(self.now.astimezone(UTC).date())
        return hashlib.blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()


def read_state(store: Store, now: datetime) -> State:
    """Read the state that a publication at a given time (aware) depends on. Errors: see `Store.reading`."""
    return State(
        catalogue_version(store), ledger_changes.ledger_heads(store), ledger_changes.last_lapse_us(store, now), now
    )


class CatalogueWatch:
    """Remembers since when the catalogue has not changed, as far as this process knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = ""
        self._seen_at: datetime | None = None

    def seen_since(self, state: State) -> datetime:
        """Record the current version of the catalogue, and return since when it certainly has not changed.

        The database does not store when it changed. But a version is never used twice: if a version was seen earlier
        and is still current, it was current all the time.
        """
        with self._lock:
            if self._version != state.catalogue or self._seen_at is None:
                self._version, self._seen_at = state.catalogue, state.now
            return self._seen_at


def files_since(watch: CatalogueWatch, state: State, since: datetime | None) -> dict[File, datetime | None]:
    """Return the files that may have changed since a given time, each with the time from which a part is enough.

    Parameters
    ----------
    watch
        Knows since when the catalogue has not changed.
    state
        The current state.
    since
        The time of an earlier publication; None returns all complete files.

    Raises
    ------
    InvalidInput
        If `since` is in the future.
    """
    if since is not None and since > state.now:
        raise InvalidInput("_since is in the future. Give the transactionTime of your last answer.", field="_since")
    seen_at = watch.seen_since(state)
    if since is None or since - OVERLAP < seen_at:
        return dict.fromkeys(File)
    is_today = since.astimezone(UTC).date() == state.now.astimezone(UTC).date()
    # Each slot belongs to a day, so all slots are new on a new day.
    return {File.HEALTHCARE_SERVICE: since, File.SCHEDULE: since, File.SLOT: since if is_today else None}


def publish(store: Store, file: File, state: State, since: datetime | None) -> Iterator[bytes]:
    """Yield the lines of a file, some studies at a time, with constant memory.

    Parameters
    ----------
    store
        The database. No transaction stays open while a slow reader waits.
    file
        Which.
    state
        The current state.
    since
        Leave out sites whose spots have certainly not changed since then; None for all.

    Yields
    ------
    bytes
        NDJSON, by study and then in the record's order. Sites that are no longer in the catalogue are left out.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See `Store.reading`.
    """
    encoder = msgspec.json.Encoder()
    for ids in _study_ids(store, state, since):
        parts = directory.whole_studies(store, ids)
        if since is not None:
            parts = [(study, _changed(store, study, sites, since, state.now)) for study, sites in parts]
        spots: dict[str, Availability] = {}
        if file is not File.LOCATION:
            studies = {study.study_id: study for study, _ in parts}
            shown = (site for _, sites in parts for site in sites)
            spots = read_availability(store, studies, shown, state.now)
        lines = bytearray()
        for study, sites in parts:
            for site in sites:
                lines += encoder.encode(_resource(file, site, study, spots.get(site.site_id), state.now)) + b"\n"
        yield bytes(lines)


def _study_ids(store: Store, state: State, since: datetime | None) -> Iterator[Sequence[str]]:
    if since is not None:
        # Without a ledger, spots change only with the catalogue.
        known = sorted(state.heads)
        yield from (known[start : start + _STUDIES_A_READ] for start in range(0, len(known), _STUDIES_A_READ))
        return
    after = ""
    while ids := directory.study_ids(store, StudyFilter(), after=after, limit=_STUDIES_A_READ):
        yield ids
        after = ids[-1]


def _changed(store: Store, study: Study, sites: Sequence[Site], since: datetime, now: datetime) -> tuple[Site, ...]:
    touched, ruled = ledger_changes.touched_since(store, study.study_id, since - OVERLAP, now)
    if not touched:
        return ()
    counted = counting.capacity(store, study.study_id, now)
    changed = {one.site_id for one in counted if may_have_changed(one, None, touched, ruled)}
    return tuple(site for site in sites if site.site_id in changed)


def _resource(file: File, site: Site, study: Study, available: Availability | None, now: datetime) -> Resource:
    if file is File.LOCATION or available is None:
        return location_resource(site, study)
    if file is File.HEALTHCARE_SERVICE:
        return service_resource(site, study, available)
    if file is File.SCHEDULE:
        return schedule_resource(site, study, available)
    return slot_resource(site, study, available, now)
