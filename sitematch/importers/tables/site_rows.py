"""Checks of one row in a table of sites, for ``sites.csv`` and exported tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import TypeVar

from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.domain.table_cells import split_texts
from sitematch.errors import Fault, InvalidCoordinates

InCountry = Callable[[str, Coordinates], bool]
"""Returns whether a point can be in a country (ISO 3166-1 alpha-2); it may be generous near the borders."""

_Choice = TypeVar("_Choice", bound=StrEnum)


class RowCheck:
    """The check of one row, which collects every error instead of stopping at the first.

    Parameters
    ----------
    line
        Its line or number in the file.
    values
        Column to text, including `SITE_COLUMNS`; texts are used unchanged.
    in_country
        If given, a point outside its row's country is an error.
    """

    def __init__(self, line: int, values: Mapping[str, str], in_country: InCountry | None) -> None:
        self.line = line
        self.values = values
        self.in_country = in_country
        self.faults: list[Fault] = []
        self.site_id = values.get("site_id", "")

    def fault(self, field: str, reason: str) -> None:
        """Record that a field cannot be used, and why."""
        self.faults.append(Fault(self.line, field, self.values.get(field, "")[:80], reason))

    def site(self) -> Site | None:
        """Create the site; None if a value cannot be used."""
        required = {
            field: self._required(field) for field in ("site_id", "study_id", "source_study", "facility", "city")
        }
        country = self._required("country")
        if country and not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
            self.fault("country", "not an ISO 3166-1 alpha-2 code; write e.g. US, DE, JP")
        status = self._choice("status", RecruitmentStatus)
        certainty = self._choice("travel_certainty", TravelCertainty)
        kinds = tuple(
            kind for text in self._list("travel_kinds") if (kind := self._one_of("travel_kinds", text, TravelKind))
        )
        place = self._place(country)
        spots = self._number("spots", int, lowest=0)
        as_of_on = self._date("as_of")
        opened_on = self._date("opened_on") if self.values.get("opened_on", "").strip() else None
        if self.faults or status is None or certainty is None or as_of_on is None:
            return None
        return Site(
            **required,
            country=country,
            state=self.values.get("state", ""),
            postcode=self.values.get("postcode", ""),
            place=place,
            status=status,
            travel=TravelSupport(certainty=certainty, kinds=kinds),
            time_reimbursement=self.values.get("time_reimbursement", ""),
            spots=None if spots is None else int(spots),
            as_of_on=as_of_on,
            flags=self._list("flags"),
            address=self.values.get("address", ""),
            opened_on=opened_on,
        )

    def _required(self, field: str) -> str:
        value = self.values.get(field, "")
        if not value:
            self.fault(field, "is empty; give a value")
        return value

    def _list(self, field: str) -> tuple[str, ...]:
        return split_texts(self.values.get(field, ""))

    def _choice(self, field: str, choices: type[_Choice]) -> _Choice | None:
        value = self._required(field).strip()
        return self._one_of(field, value, choices) if value else None

    def _one_of(self, field: str, value: str, choices: type[_Choice]) -> _Choice | None:
        try:
            return choices(value)
        except ValueError:
            self.fault(field, f"is unknown; use one of {', '.join(choices)}")
            return None

    def _number(self, field: str, kind: Callable[[str], float], *, lowest: float = -math.inf) -> float | None:
        text = self.values.get(field, "").strip()
        if not text:
            return None
        try:
            value = kind(text)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number with a decimal point"
            self.fault(field, f"is not {wanted}")
            return None
        if not (math.isfinite(value) and value >= lowest):
            self.fault(field, f"must be a finite number{'' if lowest == -math.inf else f' of at least {lowest:g}'}")
            return None
        return value

    def _date(self, field: str) -> date | None:
        text = self._required(field).strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.fault(field, "is not a date; write it as 2025-12-31")
            return None

    def _place(self, country: str) -> Place | None:
        """Read the location; if all its cells are empty, the site has no location."""
        fields = ("latitude", "longitude", "precision", "uncertainty_km")
        if not any(self.values.get(field, "") for field in fields):
            return None
        precision = self._choice("precision", Precision)
        for field in ("latitude", "longitude", "uncertainty_km"):
            self._required(field)
        latitude, longitude = self._number("latitude", float), self._number("longitude", float)
        uncertainty_km = self._number("uncertainty_km", float, lowest=0.0)
        if latitude is None or longitude is None or uncertainty_km is None or precision is None:
            return None
        try:
            coordinates = Coordinates(latitude=latitude, longitude=longitude)
        except InvalidCoordinates as error:
            swapped = " (latitude and longitude may be swapped)" if abs(longitude) <= 90 < abs(latitude) <= 180 else ""
            self.fault(error.field or "latitude", f"{error.message}{swapped}")
            return None
        if self.in_country is not None and country and not self.in_country(country, coordinates):
            reason = f"the point ({latitude}, {longitude}) is not in {country}"
            if abs(longitude) <= 90 and self.in_country(country, Coordinates(latitude=longitude, longitude=latitude)):
                reason += ": latitude and longitude are swapped"
            self.fault("latitude", reason)
            return None
        return Place(
            coordinates=coordinates,
            precision=precision,
            uncertainty_km=uncertainty_km,
            source=self.values.get("location_source", ""),
            country=self.values.get("location_country", country),
            name=self.values.get("location_name", _town(self.values)),
            postcode=self.values.get("location_postcode", self.values.get("postcode", "")) or None,
            notes=self._list("location_notes"),
        )


def _town(values: Mapping[str, str]) -> str:
    return ", ".join(part for part in (values.get("city", ""), values.get("state", "")) if part)


def summary(name: str, faults: Sequence[Fault]) -> str:
    """Return a message with the number of errors in a file, and the first twenty."""
    shown = "\n".join(f"  {fault}" for fault in faults[:20])
    more = f"\n  and {len(faults) - 20} more" if len(faults) > 20 else ""
    return f"{name} has {len(faults)} fault{'s' * (len(faults) > 1)}:\n{shown}{more}"
