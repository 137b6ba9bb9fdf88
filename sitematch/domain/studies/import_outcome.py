"""The result of an import."""

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
        Studies that are new or have changed, even if only in their date.
    locations
        Locations in the records: `sites` and `left_out`.
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
        Sites whose records contradict themselves.
    status_stated, status_inherited, status_assumed, status_kept, status_unknown
        Sites by the source of their status: their own record; their study, if it is closed to new patients; the person
        who imports; an earlier record, because this one has none; or no source, so that it is UNKNOWN.
    held_back
        Sites of the catalogue that do not change because the row that names them was left out.
    notices
        The number of notices, each about one field of a location or a study that could not be used.
    contacts, contacts_erased
        The number of contacts that the studies have now, and how many contacts were erased.
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
        """Return a message about unusable rows of known sites, with possible actions; empty if there are none."""
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
        The source: ``"ctgov"``, ``"nci"``, ``"fhir"``, ``"csv"``.
    source
        The file, or the query that was sent to the registry.
    totals
        The counts.
    undone_at
        When it was undone; None if it was not.
    """

    import_id: int
    at: datetime
    origin: str
    source: str
    totals: ImportTotals
    undone_at: datetime | None
