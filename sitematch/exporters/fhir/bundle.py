"""Bundles and outcomes around FHIR resources."""

from __future__ import annotations

from collections.abc import Iterable

from sitematch.domain import fhir as words
from sitematch.domain.units import KM_PER_MILE
from sitematch.exporters.fhir.resources import UCUM
from sitematch.exporters.fhir.types import (
    CodeableConcept,
    Entity,
    Entry,
    Extension,
    Issue,
    OperationOutcome,
    Quantity,
    Search,
)

UNITS_KM = {
    "km": 1.0,
    "m": 0.001,
    "[mi_i]": KM_PER_MILE,
    "[mi_us]": 6.336 / 3.937,
    "[nmi_i]": 1.852,
    "[yd_i]": 0.0009144,
    "[ft_i]": 0.0003048,
}
"""Kilometres per supported unit of length, by UCUM code; all exact by definition."""

_UNIT_WORDS = {"[mi_i]": "mi", "[mi_us]": "mi", "[nmi_i]": "nmi", "[yd_i]": "yd", "[ft_i]": "ft"}
_DIGITS = {"m": 0, "[ft_i]": 0, "[yd_i]": 0}


def found_entry(base: str, resource: Entity, *, is_match: bool, km: float | None = None, unit: str = "km") -> Entry:
    """Return the bundle entry of a resource.

    Parameters
    ----------
    base
        URL of the FHIR service, e.g. ``"https://example.org/fhir"``.
    resource
        It.
    is_match
        Whether it matches the search.
    km
        Its distance; None if not requested.
    unit
        UCUM code of the unit of the distance.
    """
    distance = () if km is None else (Extension(url=words.LOCATION_DISTANCE, value_distance=_distance(km, unit)),)
    kind = resource.__struct_config__.tag
    return Entry(
        full_url=f"{base}/{kind}/{resource.id}",
        resource=resource,
        search=Search(extension=distance, mode="match" if is_match else "include"),
    )


def outcome_entry(severity: str, code: str, texts: Iterable[str]) -> Entry:
    """Return the bundle entry with notes about an answer."""
    issues = tuple(Issue(severity=severity, code=code, diagnostics=text) for text in texts)
    return Entry(resource=OperationOutcome(issue=issues), search=Search(mode="outcome"))


def outcome(code: str, title: str, detail: str) -> OperationOutcome:
    """Return the outcome for a failed request."""
    details = CodeableConcept(text=title)
    return OperationOutcome(issue=(Issue(severity="error", code=code, details=details, diagnostics=detail),))


def _distance(km: float, unit: str) -> Quantity:
    """Return a distance, to about a metre."""
    value = round(km / UNITS_KM[unit], _DIGITS.get(unit, 3))
    return Quantity(value=value, unit=_UNIT_WORDS.get(unit, unit), system=UCUM, code=unit)
