"""The kinds of files that trial people have: how each is recognised, and which source reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_HEAD_BYTES = 65_536
_ROOT = re.compile(r"<(?!\?|!)\s*(?:[\w.-]+:)?([\w.-]+)")
_JSON_ARRAY = re.compile(r"\[\s*[\[{\]]")


class ImportSource(StrEnum):
    """Import sources; the values are stored as the origin of imports."""

    TABLE = "table"
    """A list of places: a table, FHIR Locations or Open Referral. The study is given separately, or in a column."""
    CTGOV = "ctgov"
    """ClinicalTrials.gov: JSON of its API, its classic JSON and XML, its website's CSV."""
    CTIS = "ctis"
    """The EU's Clinical Trials Information System."""
    EUCTR = "euctr"
    """The EU Clinical Trials Register: countries, no places."""
    ISRCTN = "isrctn"
    """The ISRCTN registry."""
    WHO = "who"
    """The WHO's portal, and registers that publish the WHO's XML: countries, no places."""
    FHIR = "fhir"
    """FHIR R4: a bundle, or NDJSON."""
    NCI = "nci"
    """The JSON of the US National Cancer Institute's clinical trials search API."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file.

    Parameters
    ----------
    what
        What it is, to follow "it looks like".
    source
        The source that reads it; None if it is not read.
    advice
        What to do with a file that is not read; may be empty.
    """

    what: str
    source: ImportSource | None = None
    advice: str = ""

    def __str__(self) -> str:
        """Return what it is, and what to do with it."""
        if self.source not in (None, ImportSource.TABLE):
            return f"{self.what}; use `import {self.source}`"
        return f"{self.what}; {self.advice}" if self.advice else self.what


CTGOV_JSON = FileKind("studies of ClinicalTrials.gov", ImportSource.CTGOV)
CTGOV_CLASSIC_JSON = FileKind("studies of ClinicalTrials.gov's classic API", ImportSource.CTGOV)
CTGOV_XML = FileKind("studies of ClinicalTrials.gov's classic XML", ImportSource.CTGOV)
CTGOV_CSV = FileKind("a CSV download of ClinicalTrials.gov's website", ImportSource.CTGOV)
CTIS = FileKind("a trial of EU CTIS", ImportSource.CTIS)
EUCTR = FileKind("trials of the EU Clinical Trials Register", ImportSource.EUCTR)
ISRCTN = FileKind("XML of the ISRCTN registry", ImportSource.ISRCTN)
WHO = FileKind("XML of the WHO's trial search, or of a register in the WHO's form", ImportSource.WHO)
NCI = FileKind("trials of the NCI's search API", ImportSource.NCI)
FHIR = FileKind("FHIR", ImportSource.FHIR)
HSDS = FileKind("locations of Open Referral (HSDS)", ImportSource.TABLE)

_PACKED = "unpack it first"
_STARTS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind("a workbook of Excel 2003 or before", advice="save it as .xlsx")),
    (b"%PDF", FileKind("a PDF")),
    (b"{\\rtf", FileKind("a text document (RTF)")),
    (b"PAR1", FileKind("a Parquet file", advice="save it as CSV")),
    (b"SQLite format 3\0", FileKind("a SQLite database, e.g. a GeoPackage", advice="save the table as CSV")),
    (b"7z\xbc\xaf\x27\x1c", FileKind("a 7-Zip archive", advice=_PACKED)),
    (b"Rar!", FileKind("a RAR archive", advice=_PACKED)),
)
GZIP = FileKind("a gzip archive", advice=_PACKED)
ZIP = FileKind("a zip archive", advice=_PACKED)
_XML_ROOTS = {
    "clinical_study": CTGOV_XML,
    "trials_downloaded_from_ictrp": WHO,
    "alltrials": ISRCTN,
    "fulltrial": ISRCTN,
    "trials": WHO,
    "html": FileKind("a web page, not a data file"),
    "bundle": FileKind("FHIR in XML", advice="FHIR is read as JSON, by `import fhir`"),
    "anzctr_trial": FileKind("XML of the ANZCTR registry, which is not read", advice="download the trial from the WHO"),
    "search_results": FileKind(
        "a list of search results of ClinicalTrials.gov, without places", advice="use `import ctgov NCT…`"
    ),
}
_UNKNOWN_XML = FileKind("XML, of a kind that is not known")
_ISRCTN_NAMESPACE = "67bricks.com/isrctn"
_JSON_SIGNS = (
    ('"sitematch-catalogue/', FileKind("a catalogue that sitematch exported", advice="use `import catalogue`")),
    ('"protocolsection"', CTGOV_JSON),
    ('"authorizedapplication"', CTIS),
    ('"authorizedpartsii"', CTIS),
    ('"current_trial_status"', NCI),
    ('"resourcetype"', FHIR),
    ('"service_at_locations"', HSDS),
    ('"physical_addresses"', HSDS),
    ('"state_province"', HSDS),
)
_EUCTR_LINE = re.compile(
    r"^(?:EudraCT Number:|This file contains (?:full|summary) details)", re.IGNORECASE | re.MULTILINE
)
_HSDS_MEMBER = re.compile(rb"PK\x03\x04.{26}[^\x00]{0,80}?\b(?:locations|addresses|physical_addresses)\.csv", re.DOTALL)
_MEMBER = re.compile(rb"PK\x03\x04.{26}([\w ./-]{1,120}\.(?:xml|json|csv|txt))", re.DOTALL)


def file_kind(path: Path) -> FileKind | None:
    """Recognise a file by its first 64 kB; nothing in it is interpreted.

    Parameters
    ----------
    path
        An existing file.

    Returns
    -------
    FileKind or None
        None if it is a table, or may be one: CSV, an Excel workbook, or NDJSON of flat objects. Also None for a pipe,
        which can be read only once.
    """
    if path.is_fifo():
        return None
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"\x1f\x8b"):
        return _in_gzip(path)
    if head.startswith(b"PK\x03\x04"):
        return _archive(head)
    return _of_text(head)


def source_of(path: Path) -> ImportSource:
    """Return the source that reads a file; TABLE if it may be a table, or is of no kind that is read.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file cannot be opened.
    """
    kind = file_kind(path)
    return ImportSource.TABLE if kind is None or kind.source is None else kind.source


def _of_text(head: bytes) -> FileKind | None:
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = head.decode(encoding, errors="replace").lstrip()
    if text.startswith("<"):
        return _xml(text)
    if _JSON_ARRAY.match(text):
        return _json(text) or FileKind("a JSON array", advice="a table is NDJSON, one object a line")
    if text.startswith("{"):
        return _json(text)
    if _EUCTR_LINE.search(text[:4_000]):
        return EUCTR
    return _csv(text)


def _xml(text: str) -> FileKind:
    root = _ROOT.search(text)
    name = root[1].lower() if root else ""
    if name == "trial":
        return ISRCTN if _ISRCTN_NAMESPACE in text[:4_000] else WHO
    if name == "root" and "<trial_id>" in text:
        return WHO
    return _XML_ROOTS.get(name, _UNKNOWN_XML)


def _json(text: str) -> FileKind | None:
    # Only the classic API writes this name with capitals.
    if '"ProtocolSection"' in text or '"FullStudiesResponse"' in text:
        return CTGOV_CLASSIC_JSON
    small = text.lower()
    return next((kind for sign, kind in _JSON_SIGNS if sign in small), None)


def _csv(text: str) -> FileKind | None:
    columns = {cell.strip(' "\r').lower() for cell in re.split(r"[,;|\t]", text.partition("\n")[0])}
    if {"nct number", "study title"} <= columns:
        return CTGOV_CSV
    if {"nct_id", "brief_title", "overall_status"} <= columns:
        return FileKind("AACT's table of studies, without places", advice="use `import file facilities.txt`")
    if {"trialid", "countries"} <= columns:
        return FileKind("a table of the WHO's trial search, without places", advice="download XML; use `import who`")
    if {"organization_id", "latitude", "longitude"} <= columns and not columns & {"city", "postal_code"}:
        return HSDS
    return None


def _in_gzip(path: Path) -> FileKind:
    """Look into a gzip file; a source that reads the content also reads it packed, except a table."""
    import gzip
    import zlib

    try:
        with gzip.open(path) as file:
            inside = _of_text(file.read(_HEAD_BYTES))
    except (OSError, EOFError, zlib.error):
        return GZIP
    return inside if inside is not None and inside.source not in (None, ImportSource.TABLE) else GZIP


def _archive(head: bytes) -> FileKind | None:
    if b"mimetypeapplication/vnd.oasis.opendocument" in head:
        return FileKind("an OpenDocument file", advice="save it as .xlsx or CSV")
    if b"word/" in head:
        return FileKind("a Word document")
    if b"xl/" in head or b"[Content_Types].xml" in head or b"_rels/" in head:
        return None
    if _HSDS_MEMBER.search(head):
        return HSDS
    first = _MEMBER.match(head)
    name = first[1].rpartition(b"/")[2].upper() if first else b""
    if name.startswith(b"NCT"):
        return CTGOV_XML if name.endswith(b".XML") else CTGOV_JSON
    return ZIP
