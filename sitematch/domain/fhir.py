"""Terms that FHIR R4 and sitematch share: codes, systems, URLs of extensions, and resource ids.

The exporter and the importer both use these definitions, so that they cannot differ.
"""

from __future__ import annotations

import hashlib
import re

from sitematch.domain.studies.study import RecruitmentStatus

STUDY_STATUS: dict[RecruitmentStatus, str] = {
    RecruitmentStatus.RECRUITING: "active",
    RecruitmentStatus.ENROLLING_BY_INVITATION: "active",
    RecruitmentStatus.AVAILABLE: "active",
    RecruitmentStatus.NOT_YET_RECRUITING: "approved",
    RecruitmentStatus.ACTIVE_NOT_RECRUITING: "closed-to-accrual",
    RecruitmentStatus.SUSPENDED: "temporarily-closed-to-accrual",
    RecruitmentStatus.TEMPORARILY_NOT_AVAILABLE: "temporarily-closed-to-accrual",
    RecruitmentStatus.COMPLETED: "completed",
    RecruitmentStatus.APPROVED_FOR_MARKETING: "completed",
    RecruitmentStatus.TERMINATED: "administratively-completed",
    RecruitmentStatus.NO_LONGER_AVAILABLE: "administratively-completed",
    RecruitmentStatus.WITHDRAWN: "withdrawn",
}
"""``ResearchStudy.status`` (research-study-status, R4). WITHHELD and UNKNOWN have none: the code is then missing, with
a data-absent-reason, because each of R4's codes would state something that is not known."""

STATUS_OF_STUDY: dict[str, RecruitmentStatus] = {
    "active": RecruitmentStatus.RECRUITING,
    "administratively-completed": RecruitmentStatus.TERMINATED,
    "approved": RecruitmentStatus.NOT_YET_RECRUITING,
    "closed-to-accrual": RecruitmentStatus.ACTIVE_NOT_RECRUITING,
    "closed-to-accrual-and-intervention": RecruitmentStatus.ACTIVE_NOT_RECRUITING,
    "completed": RecruitmentStatus.COMPLETED,
    "disapproved": RecruitmentStatus.WITHDRAWN,
    "in-review": RecruitmentStatus.NOT_YET_RECRUITING,
    "temporarily-closed-to-accrual": RecruitmentStatus.SUSPENDED,
    "temporarily-closed-to-accrual-and-intervention": RecruitmentStatus.SUSPENDED,
    "withdrawn": RecruitmentStatus.WITHDRAWN,
}
"""The reverse, for records without `RECRUITMENT_STATUS`; every code of R4 is accepted."""

LOCATION_STATUS: dict[RecruitmentStatus, str] = {
    RecruitmentStatus.RECRUITING: "active",
    RecruitmentStatus.ENROLLING_BY_INVITATION: "active",
    RecruitmentStatus.AVAILABLE: "active",
    RecruitmentStatus.NOT_YET_RECRUITING: "active",
    RecruitmentStatus.SUSPENDED: "suspended",
    RecruitmentStatus.TEMPORARILY_NOT_AVAILABLE: "suspended",
    RecruitmentStatus.ACTIVE_NOT_RECRUITING: "inactive",
    RecruitmentStatus.COMPLETED: "inactive",
    RecruitmentStatus.TERMINATED: "inactive",
    RecruitmentStatus.WITHDRAWN: "inactive",
    RecruitmentStatus.NO_LONGER_AVAILABLE: "inactive",
    RecruitmentStatus.APPROVED_FOR_MARKETING: "inactive",
}
"""``Location.status`` (location-status, R4) of the place as a site of its study. Other statuses have none."""

STATUS_OF_LOCATION: dict[str, RecruitmentStatus] = {
    "suspended": RecruitmentStatus.SUSPENDED,
    "inactive": RecruitmentStatus.ACTIVE_NOT_RECRUITING,
}
"""The reverse; ``active`` says nothing about recruitment."""

PHASES: dict[frozenset[str], str] = {
    frozenset({"EARLY_PHASE1"}): "early-phase-1",
    frozenset({"PHASE1"}): "phase-1",
    frozenset({"PHASE1", "PHASE2"}): "phase-1-phase-2",
    frozenset({"PHASE2"}): "phase-2",
    frozenset({"PHASE2", "PHASE3"}): "phase-2-phase-3",
    frozenset({"PHASE3"}): "phase-3",
    frozenset({"PHASE4"}): "phase-4",
}
"""``ResearchStudy.phase`` (research-study-phase) by ClinicalTrials.gov's phases."""

NCT_SYSTEM = "http://clinicaltrials.gov"
"""Identifier system of NCT numbers, as HL7's terminology registers it."""
STUDY_SYSTEM = "urn:sitematch:study"
"""Identifier system of sitematch's study ids."""
SITE_SYSTEM = "urn:sitematch:site"
"""Identifier system of sitematch's site ids."""

_OURS = "urn:sitematch:fhir:"
RECRUITMENT_STATUS = f"{_OURS}recruitment-status"
STUDY = f"{_OURS}study"
AS_OF = f"{_OURS}as-of"
POSITION_ACCURACY = f"{_OURS}position-accuracy"
STAND_IN = f"{_OURS}stand-in"
RECORD_NOTE = f"{_OURS}record-note"
SPOTS_LEFT = f"{_OURS}spots-left"
TRAVEL_SUPPORT = f"{_OURS}travel-support"
ELIGIBILITY = f"{_OURS}eligibility"
PHASE = f"{_OURS}phase"
PLACEBO = f"{_OURS}placebo"
TIMELINE = f"{_OURS}timeline"
NOTICE = f"{_OURS}notice"
SOURCE = f"{_OURS}source"
HISTORY = f"{_OURS}history"
DESIGN = f"{_OURS}design"
"""A `TrialDesign` as JSON: R4 has no element for most of it."""

LOCATION_DISTANCE = "http://hl7.org/fhir/StructureDefinition/location-distance"
DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
HAS_AVAILABILITY = "http://fhir-registry.smarthealthit.org/StructureDefinition/has-availability"
SLOT_CAPACITY = "http://fhir-registry.smarthealthit.org/StructureDefinition/slot-capacity"
CAPACITY_STATUS = (
    "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus"
)
CAPACITY_CODES = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"

MAX_ID_LENGTH = 64
_FOREIGN = re.compile(r"[^A-Za-z0-9-]+")
_RESOURCE_ID = re.compile(r"(?:[A-Za-z0-9-]|\.[0-9A-F]{2}){1,64}")
_DIGEST = ".."


def resource_id(our_id: str) -> str:
    """Return the FHIR id of a site or study: letters, digits, ``-`` and ``.``, at most 64 characters.

    Parameters
    ----------
    our_id
        Any text that is not empty.

    Returns
    -------
    str
        Letters, digits and dashes unchanged, anything else as
        ``.`` and two hexadecimal digits for each byte of its UTF-8. An id that becomes too long is replaced by ``..``
        and a part of its SHA-256: see `is_digest`.

    Examples
    --------
    >>> resource_id("NCT06064929-001"), resource_id("site_1"), resource_id("X-1.2")
    ('NCT06064929-001', 'site.5F1', 'X-1.2E2')
    """
    escaped = _FOREIGN.sub(lambda found: "".join(f".{byte:02X}" for byte in found[0].encode()), our_id)
    if len(escaped) <= MAX_ID_LENGTH:
        return escaped
    return _DIGEST + hashlib.sha256(our_id.encode()).hexdigest()[:40]


def our_id(resource_id_: str) -> str | None:
    """Return our id for a FHIR id; None if `resource_id` does not create such ids, or if it is a digest.

    Examples
    --------
    >>> our_id("site.5F1"), our_id("site.5f1"), our_id("a.41")
    ('site_1', None, None)
    """
    if _RESOURCE_ID.fullmatch(resource_id_) is None:
        return None
    pieces = re.split(r"\.(..)", resource_id_)
    raw = b"".join(bytes.fromhex(piece) if number % 2 else piece.encode("ascii") for number, piece in enumerate(pieces))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    # Each id has one spelling only: "a.41" would be a second spelling of "aA".
    return text if resource_id(text) == resource_id_ else None


def is_digest(resource_id_: str) -> bool:
    """Return whether a FHIR id is the digest of an id that was too long: it can be compared, but not converted back."""
    return resource_id_.startswith(_DIGEST)
