"""The sources of studies and sites: one table with the name, the reader and the specification of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import Fault, InvalidInput, PostcodeNotFound, UnknownCountry
from sitematch.gazetteer.grammar import find_country, parse_postcode
from sitematch.gazetteer.grammar.regions import find_regions
from sitematch.importers import ctgov, file_kinds, nci
from sitematch.importers.fhir import bundle
from sitematch.importers.file_kinds import ImportSource
from sitematch.importers.limits import NO_LIMITS, FileLimits
from sitematch.importers.registers import ctgov_classic, ctgov_csv, ctis, euctr, isrctn, who

__all__ = ["RECORD_READERS", "SOURCES", "ImportSource", "RecordReader", "Source", "read_ctgov"]

RecordReader = Callable[[Path, date], Iterator[StudyRecord | Fault]]
"""Reads a file's studies with a given date; parts that cannot be used become a `Fault`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source.

    Parameters
    ----------
    title
        What it is called, with its formats.
    specification
        The page that describes its fields.
    reader
        Reads its files; None if they are tables of sites whose study is given separately.
    has_places
        Whether its files list places; otherwise they name countries only.
    """

    title: str
    specification: str
    reader: RecordReader | None
    has_places: bool = True


def read_ctgov(
    path: Path, read_on: date, *, contacts: bool = False, limits: FileLimits = NO_LIMITS
) -> Iterator[StudyRecord | Fault]:
    """Read a file of ClinicalTrials.gov, in any of its formats.

    Parameters
    ----------
    path
        JSON of the API, classic JSON, classic XML, or CSV of the website; its first bytes show which.
    read_on, contacts, limits
        See `sitematch.importers.ctgov.read_file`. The CSV has no contacts.

    Raises
    ------
    InvalidInput, DataFault
        See there.
    """
    kind = file_kinds.file_kind(path) if path.is_file() else None
    if kind is file_kinds.CTGOV_XML:
        return ctgov_classic.read_xml(path, read_on, contacts=contacts, limits=limits)
    if kind is file_kinds.CTGOV_CLASSIC_JSON:
        return ctgov_classic.read_json(path, read_on, contacts=contacts, limits=limits)
    if kind is file_kinds.CTGOV_CSV:
        return ctgov_csv.read_file(path, read_on, _GRAMMAR, limits=limits)
    return ctgov.read_file(path, read_on, contacts=contacts, limits=limits)


def _is_postcode(text: str, country: str) -> bool:
    try:
        parse_postcode(text, find_country(country) or "")
    except (InvalidInput, PostcodeNotFound, UnknownCountry):
        return False
    return True


_GRAMMAR = ctgov_csv.Grammar(
    is_country=lambda text: find_country(text) is not None,
    is_postcode=_is_postcode,
    is_region=lambda text, country: bool(find_regions(text, find_country(country) or "")),
)

SOURCES: Mapping[ImportSource, Source] = {
    ImportSource.TABLE: Source(
        title="Table of sites (CSV, Excel, NDJSON), FHIR Locations, Open Referral",
        specification="https://docs.openreferral.org/en/latest/hsds/schema_reference.html",
        reader=None,
    ),
    ImportSource.CTGOV: Source(
        title="ClinicalTrials.gov (JSON, XML, CSV)",
        specification="https://clinicaltrials.gov/data-api/about-api/study-data-structure",
        reader=read_ctgov,
    ),
    ImportSource.CTIS: Source(
        title="EU CTIS (JSON)", specification="https://euclinicaltrials.eu/", reader=ctis.read_file
    ),
    ImportSource.EUCTR: Source(
        title="EU Clinical Trials Register (text)",
        specification="https://www.clinicaltrialsregister.eu/about.html",
        reader=euctr.read_file,
        has_places=False,
    ),
    ImportSource.ISRCTN: Source(
        title="ISRCTN (XML)", specification="https://www.isrctn.com/page/definitions", reader=isrctn.read_file
    ),
    ImportSource.WHO: Source(
        title="WHO ICTRP, TCTR, REPEC (XML)",
        specification="https://www.who.int/tools/clinical-trials-registry-platform/network/who-data-set",
        reader=who.read_file,
        has_places=False,
    ),
    ImportSource.FHIR: Source(
        title="FHIR R4 (JSON)", specification="https://hl7.org/fhir/R4/researchstudy.html", reader=bundle.read_file
    ),
    ImportSource.NCI: Source(
        title="NCI (JSON)", specification="https://clinicaltrialsapi.cancer.gov/doc", reader=nci.read_file
    ),
}
"""All sources, in the order in which they are offered."""

RECORD_READERS: Mapping[ImportSource, RecordReader] = {
    source: about.reader for source, about in SOURCES.items() if about.reader is not None
}
"""The readers of sources whose files name their studies: all except tables."""
