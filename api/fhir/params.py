"""The supported search parameters by type, for both the CapabilityStatement and `api.fhir.query`."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.studies.order import SortField
from sitematch.services.exchange.fhir import ResourceKind

_R4 = "http://hl7.org/fhir/SearchParameter/"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter.

    Parameters
    ----------
    name
        Its name in a query, without a modifier.
    type
        FHIR's: ``string``, ``token``, ``reference`` or ``special``.
    about
        A one-line description.
    definition
        Canonical URL of R4's definition; empty for our own parameters.
    """

    name: str
    type: str
    about: str
    definition: str = ""


_ID = Parameter("_id", "token", "The resource's id.", f"{_R4}Resource-id")
_SITE_IDENTIFIER = "The site's id here, alone or as urn:sitematch:site|id."
_COUNTRY = "ISO 3166-1 code or a country's name, compared as a country."
_FACILITY = "Start of the institution's name; :contains, :exact."
_CITY = "Start of the town's name; :contains, :exact."


def _addresses(kind: str) -> tuple[Parameter, ...]:
    about = {
        "address": "Start of the street, town, state, postcode or country code; :contains, :exact.",
        "address-city": _CITY,
        "address-state": "Start of the state as in the record; :contains, :exact.",
        "address-postalcode": "Start of the site's postcode; :contains, :exact.",
        "address-country": _COUNTRY,
    }
    return tuple(Parameter(name, "string", text, f"{_R4}{kind}-{name}") for name, text in about.items())


PARAMETERS: dict[ResourceKind, tuple[Parameter, ...]] = {
    ResourceKind.LOCATION: (
        _ID,
        Parameter("identifier", "token", _SITE_IDENTIFIER, f"{_R4}Location-identifier"),
        Parameter("name", "string", _FACILITY, f"{_R4}Location-name"),
        *_addresses("Location"),
        Parameter("status", "token", "active, suspended or inactive.", f"{_R4}Location-status"),
        Parameter("organization", "reference", "The managing Organization.", f"{_R4}Location-organization"),
        Parameter(
            "near",
            "special",
            "latitude|longitude|distance|units (WGS84; UCUM units, km if omitted; everywhere if the distance is "
            "omitted), nearest first by the exact geodesic. Send a patient's coordinates with POST _search.",
            f"{_R4}Location-near",
        ),
    ),
    ResourceKind.HEALTHCARE_SERVICE: (
        _ID,
        Parameter("identifier", "token", _SITE_IDENTIFIER, f"{_R4}HealthcareService-identifier"),
        Parameter("active", "token", "true if the site takes patients.", f"{_R4}HealthcareService-active"),
        Parameter("location", "reference", "The Location.", f"{_R4}HealthcareService-location"),
        Parameter("organization", "reference", "The Organization.", f"{_R4}HealthcareService-organization"),
    ),
    ResourceKind.RESEARCH_STUDY: (
        _ID,
        Parameter("identifier", "token", "The NCT number or another id.", f"{_R4}ResearchStudy-identifier"),
        Parameter("status", "token", "A code of research-study-status.", f"{_R4}ResearchStudy-status"),
        Parameter("title", "string", "Start of the title; :contains, :exact.", f"{_R4}ResearchStudy-title"),
        Parameter("site", "reference", "A Location where it recruits.", f"{_R4}ResearchStudy-site"),
        Parameter("condition", "string", "Start of a condition's text; :contains, :exact. R4 has no such parameter."),
    ),
    ResourceKind.ORGANIZATION: (
        _ID,
        Parameter("identifier", "token", _SITE_IDENTIFIER, f"{_R4}Organization-identifier"),
        Parameter("name", "string", _FACILITY, f"{_R4}Organization-name"),
        *_addresses("Organization"),
    ),
}
"""By type, in the order of the CapabilityStatement."""

_BY_ADDRESS = {
    "_id": SortField.ID,
    "name": SortField.FACILITY,
    "address-city": SortField.CITY,
    "address-state": SortField.STATE,
    "address-postalcode": SortField.POSTCODE,
    "address-country": SortField.COUNTRY,
}
SORTS: dict[ResourceKind, dict[str, SortField]] = {
    ResourceKind.LOCATION: {**_BY_ADDRESS, "status": SortField.STATUS},
    ResourceKind.HEALTHCARE_SERVICE: {"_id": SortField.ID},
    ResourceKind.RESEARCH_STUDY: {"_id": SortField.ID, "title": SortField.TITLE, "status": SortField.STATUS},
    ResourceKind.ORGANIZATION: _BY_ADDRESS,
}
"""By type: the parameters that ``_sort`` takes. A status is ordered by ClinicalTrials.gov's words."""

OF_STUDIES = "_has:ResearchStudy:site:"
"""Prefix of a ResearchStudy parameter that limits sites to those of matching studies."""

ABOUT_STUDIES = (
    f"Also `{OF_STUDIES}` before a parameter of ResearchStudy: only sites of the studies that match it, e.g. "
    f"{OF_STUDIES}condition=lupus."
)
"""Only for Location; in words, because neither a CapabilityStatement of R4 nor OpenAPI can list such names."""
