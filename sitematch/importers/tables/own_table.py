"""Tables of sites that sitematch exported, read back exactly, with their ids and places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from sitematch.domain.studies.record import CatalogueRecord
from sitematch.domain.studies.site import PLACE_COLUMNS, SITE_COLUMNS, Site
from sitematch.errors import DataFault, Fault
from sitematch.importers.tables.raw_rows import read_rows, table_name
from sitematch.importers.tables.site_rows import RowCheck, summary

_FAULTS_KEPT = 1_000


def is_own(path: Path, sheet: str = "") -> bool:
    """Return whether a table has all the site columns that sitematch exports.

    Raises
    ------
    InvalidInput, DataFault
        See `read_rows`.
    """
    return any(has_own_columns(cells) for _, cells in islice(read_rows(path, sheet), 1))


def has_own_columns(header: Sequence[str]) -> bool:
    """Return whether a header has all the site columns that sitematch exports."""
    return set(header) >= {*SITE_COLUMNS, *PLACE_COLUMNS} - {"address", "opened_on"}


def read_own(path: Path, sheet: str = "", *, is_whole: bool = False) -> Iterator[CatalogueRecord]:
    """Read the sites of each study, one study at a time; such a table has no details of studies.

    Parameters
    ----------
    path, sheet
        See `read_rows`; `is_own` must be true for it.
    is_whole
        See `CatalogueRecord`.

    Yields
    ------
    CatalogueRecord
        In the file's order.

    Raises
    ------
    InvalidInput
        See `read_rows`.
    DataFault
        If there are errors: at the end, with the errors of all rows. Such a table is imported completely or not at all.
    """
    rows = read_rows(path, sheet)
    _, header = next(rows)
    yield from own_records(table_name(path, sheet), header, rows, is_whole=is_whole)


def own_records(
    name: str, header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], *, is_whole: bool
) -> Iterator[CatalogueRecord]:
    """Read rows below a header that `has_own_columns`; see `read_own`.

    Parameters
    ----------
    name
        The table's name in errors.
    header, rows
        The columns' names, and each row's number and cells.
    is_whole
        See `CatalogueRecord`.
    """
    faults: list[Fault] = []
    for study_id, checks in _by_study(rows, header, faults):
        sites: dict[str, Site] = {}
        for check in checks:
            site = check.site()
            if check.site_id in sites:
                check.fault("site_id", "an earlier row has the same id; each id must be unique")
            faults += check.faults[: _FAULTS_KEPT - len(faults)]
            if site is not None:
                sites[site.site_id] = site
        if not faults:
            yield CatalogueRecord(study_id=study_id, study=None, sites=tuple(sites.values()), is_whole=is_whole)
    if faults:
        raise DataFault(summary(name, faults), faults=faults)


def _by_study(
    rows: Iterable[tuple[int, Sequence[str]]], header: Sequence[str], faults: list[Fault]
) -> Iterator[tuple[str, list[RowCheck]]]:
    """Group the rows by study; a study whose rows are not together is an error."""
    gathered: list[RowCheck] = []
    finished: set[str] = set()
    for number, cells in rows:
        check = RowCheck(number, dict(zip(header, cells, strict=False)), None)
        study_id = check.values.get("study_id", "")
        if gathered and study_id != gathered[0].values.get("study_id", ""):
            before = gathered[0].values.get("study_id", "")
            finished.add(before)
            yield before, gathered
            gathered = []
            if study_id in finished:
                faults.append(
                    Fault(number, "study_id", study_id, "its rows are not together; sort the table by study_id")
                )
        if any("\x00" in cell for cell in cells):
            check.fault("site_id", "the row contains a null character, which a database cannot store")
        gathered.append(check)
    if gathered:
        yield gathered[0].values.get("study_id", ""), gathered
