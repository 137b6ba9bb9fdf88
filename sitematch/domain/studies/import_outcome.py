"""What an import did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTotals:
    """Counts of an import.

    Parameters
    ----------
    studies
        Studies read.
    studies_changed
        Studies that were new or differ, be it in their date alone.
    locations
        Locations that the records hold: `sites` and `left_out`.
    sites
        Those that became sites.
    left_out
        Those that could not be used.
    records_left_out
        Records that could not be used at all.
    added, changed, respelled, closed, vanished, returned, removed
        Sites by `sitematch.domain.studies.change.ChangeKind`.
    unplaced
        Sites without a location.
    contradictions
        Sites of which the record's parts contradict one another.
    contacts, contacts_erased
        Contacts of persons that the studies have now, and how many fewer that is where there are fewer.
    """

    studies: int = 0
    studies_changed: int = 0
    locations: int = 0
    sites: int = 0
    left_out: int = 0
    records_left_out: int = 0
    added: int = 0
    changed: int = 0
    respelled: int = 0
    closed: int = 0
    vanished: int = 0
    returned: int = 0
    removed: int = 0
    unplaced: int = 0
    contradictions: int = 0
    contacts: int = 0
    contacts_erased: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """One import that changed something.

    Parameters
    ----------
    import_id
        1 for the first.
    at
        When (aware, UTC).
    origin
        Whose records: ``"ctgov"``, ``"nci"``, ``"fhir"``, ``"csv"``.
    source
        The file, or what was asked of the registry.
    totals
        What it did.
    undone_at
        When it was undone; None if it holds.
    """

    import_id: int
    at: datetime
    origin: str
    source: str
    totals: ImportTotals
    undone_at: datetime | None
