"""Small valid records in ClinicalTrials.gov's format, which tests change with keywords."""

from __future__ import annotations

from typing import Any

STUDY_ID = "NCT00000001"


def make_location(**changes: Any) -> dict[str, Any]:
    location = {
        "facility": "University Hospital /ID# 254767",
        "status": "RECRUITING",
        "city": "Kiel",
        "state": "Schleswig-Holstein",
        "zip": "24105",
        "country": "Germany",
        "geoPoint": {"lat": 54.32133, "lon": 10.13489},
    }
    return {name: value for name, value in (location | changes).items() if value is not None}


def make_record(*locations: Any, nct_id: str = STUDY_ID, **changes: Any) -> dict[str, Any]:
    """``changes`` replace whole modules by their names."""
    protocol: dict[str, Any] = {
        "identificationModule": {
            "nctId": nct_id,
            "orgStudyIdInfo": {"id": "X-1"},
            "briefTitle": "A study of something",
            "acronym": "SOME",
        },
        "statusModule": {
            "overallStatus": "RECRUITING",
            "lastUpdatePostDateStruct": {"date": "2026-02-05", "type": "ACTUAL"},
        },
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": "A sponsor", "class": "INDUSTRY"}},
        "conditionsModule": {"conditions": ["Lupus Nephritis"]},
        "designModule": {"phases": ["PHASE2"], "designInfo": {"maskingInfo": {"masking": "NONE"}}},
        "eligibilityModule": {"sex": "ALL", "minimumAge": "18 Years"},
        "contactsLocationsModule": {"locations": list(locations)},
    }
    return {"protocolSection": protocol | changes, "hasResults": False}
