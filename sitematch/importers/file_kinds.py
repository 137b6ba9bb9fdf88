"""Detection of files of the wrong kind, for error messages that name the kind and say what to do."""

from __future__ import annotations

import re
from pathlib import Path

_HEAD_BYTES = 65_536
_ROOT = re.compile(r"<(?!\?|!)\s*(?:\w+:)?([\w.-]+)")
_JSON_ARRAY = re.compile(r"\[\s*[\[{\]]")
_XML_ROOTS = {
    "clinical_study": "a study of ClinicalTrials.gov's old XML, which is not read; fetch it with `import ctgov NCT…`",
    "trials_downloaded_from_ictrp": "XML of the WHO's trial search (ICTRP), which is not read",
    "alltrials": "XML of the ISRCTN registry, which is not read",
    "trial": "XML of the ISRCTN registry or of the WHO's trial search, which is not read",
    "html": "a web page, not a data file",
    "bundle": "FHIR in XML; FHIR is read as JSON, by `import fhir`",
}
_JSON_SIGNS = (
    ('"protocolsection"', "studies of ClinicalTrials.gov; use `import ctgov`"),
    ('"authorizedapplication"', "a trial of EU CTIS, which is not read"),
    ('"current_trial_status"', "trials of the NCI's search API; use `import nci`"),
)


def kind_of(path: Path) -> str:
    """Return the kind of a file that is certainly not a table; empty if it may be one.

    Parameters
    ----------
    path
        An existing file.

    Returns
    -------
    str
        E.g. ``"a PDF"``, to follow "it looks like".
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for start, kind in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of Excel 2003 or before; save it as .xlsx"),
        (b"%PDF", "a PDF"),
        (b"\x1f\x8b", "a gzip archive; unpack it first"),
        (b"{\\rtf", "a text document (RTF)"),
    ):
        if head.startswith(start):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _archive(head)
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if text.startswith("<"):
        root = _ROOT.search(text)
        return _XML_ROOTS.get(root[1].lower() if root else "", "XML, of a kind that is not known")
    if _JSON_ARRAY.match(text):
        return _json(text) or "a JSON array; a table is NDJSON, one object a line"
    if text.startswith("{"):
        return _json(text)
    return ""


def _archive(head: bytes) -> str:
    if b"mimetypeapplication/vnd.oasis.opendocument" in head:
        return "an OpenDocument file; save it as .xlsx or CSV"
    if b"word/" in head:
        return "a Word document"
    if b"xl/" in head or b"[Content_Types].xml" in head or b"_rels/" in head:
        return ""
    return "a zip archive; unpack it first"


def _json(text: str) -> str:
    small = text.lower()
    for sign, kind in _JSON_SIGNS:
        if sign in small:
            return kind
    if '"resourcetype"' in small:
        if '"researchstudy"' not in small and '"bundle"' not in small and '"location"' in small:
            return "FHIR Locations without a ResearchStudy (e.g. SMART Scheduling Links), which are not read"
        return "FHIR; use `import fhir`"
    return ""
