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
    status_stated, status_inherited, status_assumed, status_kept, status_unknown
        Sites by where their status comes from: their own record; the study's, which takes nobody; the person who
        imports; an earlier record, since this one is silent; or nowhere, so that it is UNKNOWN.
    held_back
        Sites of the catalogue that stay as they were because the row that names them was left out.
    notices
        How often something was noticed about a location or a study that costs only itself.
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
    status_stated: int = 0
    status_inherited: int = 0
    status_assumed: int = 0
    status_kept: int = 0
    status_unknown: int = 0
    held_back: int = 0
    notices: int = 0
    contacts: int = 0
    contacts_erased: int = 0

    @property
    def held_back_text(self) -> str:
        """Say that rows of known sites cannot be used, and what can be done; empty if there are none."""
        if not self.held_back:
            return ""
        known = "1 site of the catalogue is" if self.held_back == 1 else f"{self.held_back} sites of the catalogue are"
        stay = "that site does not change" if self.held_back == 1 else "those sites do not change"
        return f"{known} in rows with errors. Correct the rows, or import the rest with --allow-left-out: {stay}."


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
