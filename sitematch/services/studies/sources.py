"""The kinds of files that studies and sites come from: one table of what each is called and how it is read."""

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
"""Reads a file's studies, dated by a day; what cannot be used is a `Fault`."""


class ImportSource(StrEnum):
    """A kind of file; the values are the origins that imports are noted under."""

    TABLE = "table"
    """CSV or Excel: all sites of one study, which is named beside the file."""
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
"""How each source is read whose files say themselves whose sites they hold: all but tables."""
