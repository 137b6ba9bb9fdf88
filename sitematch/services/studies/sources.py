"""The sources of studies and sites: one table with the name and the reader of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path

from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import Fault
from sitematch.importers import ctgov, nci
from sitematch.importers.fhir import bundle

RecordReader = Callable[[Path, date], Iterator[StudyRecord | Fault]]
"""Reads a file's studies with a given date; parts that cannot be used become a `Fault`."""


class ImportSource(StrEnum):
    """Import sources; the values are stored as the origin of imports."""

    TABLE = "table"
    """CSV or Excel: all sites of one study, which is given separately."""
    CTGOV = "ctgov"
    """ClinicalTrials.gov's JSON."""
    FHIR = "fhir"
    """FHIR R4: a bundle, or NDJSON."""
    NCI = "nci"
    """The JSON of the US National Cancer Institute's clinical trials search API."""


RECORD_READERS: Mapping[ImportSource, RecordReader] = {
    ImportSource.CTGOV: ctgov.read_file,
    ImportSource.FHIR: bundle.read_file,
    ImportSource.NCI: nci.read_file,
}
"""The readers of sources whose files name their studies: all except tables."""
