"""Exported catalogues in NDJSON, with all details of studies and sites, as written by `export catalogue`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import msgspec

from sitematch.domain.studies.record import CATALOGUE_FORMAT, CatalogueRecord
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import Study
from sitematch.errors import DataFault, Fault
from sitematch.importers.opened import open_file


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    format: str


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    study: Study
    sites: tuple[Site, ...]


class _Foot(msgspec.Struct, forbid_unknown_fields=True):
    studies: int
    sites: int


def read_catalogue(path: Path) -> Iterator[CatalogueRecord]:
    """Yield the studies of an exported catalogue in the file's order, with constant memory.

    Parameters
    ----------
    path
        A file from `sitematch.exporters.catalogue.write_catalogue`.

    Raises
    ------
    InvalidInput
        If there is no such file.
    DataFault
        If it is not such a file, is damaged or incomplete; this can happen after good studies.
    """

    def refuse(number: int, reason: str) -> NoReturn:
        raise DataFault(f"{path.name}, line {number}: {reason}.", faults=[Fault(number, "", "", reason)])

    lines = msgspec.json.Decoder(_Line)
    foots = msgspec.json.Decoder(_Foot)
    studies = sites = number = 0
    foot: _Foot | None = None
    with open_file(path, "an exported catalogue") as file:
        try:
            head = msgspec.json.decode(file.readline(), type=_Head).format
        except (msgspec.DecodeError, UnicodeDecodeError):
            head = ""
        if head != CATALOGUE_FORMAT:
            refuse(1, f"is not a catalogue in the format {CATALOGUE_FORMAT}")
        for number, line in enumerate(file, start=2):
            if foot is not None:
                refuse(number, "there is more text after the end")
            try:
                if line.startswith(b'{"studies"'):
                    foot = foots.decode(line)
                    continue
                found = lines.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                refuse(number, str(error))
            if reason := _fault(found, line):
                refuse(number, reason)
            studies, sites = studies + 1, sites + len(found.sites)
            yield CatalogueRecord(study_id=found.study.study_id, study=found.study, sites=found.sites, is_whole=True)
    if foot is None or (foot.studies, foot.sites) != (studies, sites):
        refuse(number, f"the file was cut off after {studies} studies with {sites} sites")


def _fault(found: _Line, line: bytes) -> str:
    """Return the first value that a database cannot store; empty if there is none."""
    if b"\\u0000" in line:
        return "contains a null character, which a database cannot store"
    stated = [found.study.pool_spots, *(site.spots for site in found.sites)]
    if any(spots is not None and spots < 0 for spots in stated):
        return "a number of spots is below 0"
    if any(site.place is not None and site.place.uncertainty_km < 0 for site in found.sites):
        return "an uncertainty is below 0 km"
    return ""
