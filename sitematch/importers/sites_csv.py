"""``sites.csv``: the catalogue's own table of sites, checked row by row."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from sitematch.domain.cells import LIST_SEPARATOR
from sitematch.domain.place import Coordinates, Place, Precision
from sitematch.domain.site import SITE_COLUMNS, Site
from sitematch.domain.study import RecruitmentStatus
from sitematch.domain.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.errors import DataFault, Fault, InvalidCoordinates, NotReady

InCountry = Callable[[str, Coordinates], bool]
"""Tells whether a point can lie in a country (ISO 3166-1 alpha-2); it may be generous near the borders."""

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class SitesRead:
    """What a file of sites held.

    Parameters
    ----------
    sites
        The good rows, in the file's order.
    faults
        Every fault of the other rows, in the file's order.
    """

    sites: tuple[Site, ...]
    faults: tuple[Fault, ...]


def read_sites(path: Path, *, keep_good_rows: bool = False, in_country: InCountry | None = None) -> SitesRead:
    """Read and check a file of sites.

    Parameters
    ----------
    path
        CSV in UTF-8, with or without a byte-order mark, any line ends, a header with `SITE_COLUMNS` in any order.
    keep_good_rows
        Keep the good rows of a file with faults; otherwise one fault refuses the whole file.
    in_country
        With it, a point outside its row's country is a fault: mostly latitude and longitude swapped.

    Returns
    -------
    SitesRead
        The sites and, only with `keep_good_rows`, the faults.

    Raises
    ------
    NotReady
        If there is no such file.
    DataFault
        If a row has a fault and `keep_good_rows` is false; or if the file is empty, is not UTF-8, misses a column or
        holds no good row. `.faults` lists all of them with their lines.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotReady(f"There is no file {path}: name a CSV file of sites.") from error
    return parse_sites(content, name=path.name, keep_good_rows=keep_good_rows, in_country=in_country)


def parse_sites(
    content: bytes, *, name: str, keep_good_rows: bool = False, in_country: InCountry | None = None
) -> SitesRead:
    """Check a file of sites that is already in memory; see `read_sites`.

    Parameters
    ----------
    content
        The file's bytes.
    name
        What to call it in messages.
    keep_good_rows, in_country
        See `read_sites`.

    Raises
    ------
    DataFault
        See `read_sites`.
    """
    rows = _rows(content, name)
    sites: list[Site] = []
    faults: list[Fault] = []
    first_line_of: dict[str, int] = {}
    for line, values in rows:
        row = _Row(line, values, in_country)
        site = row.site()
        if row.site_id in first_line_of:
            row.fault("site_id", f"the same id stands in line {first_line_of[row.site_id]}; ids are unique")
        elif row.site_id:
            first_line_of[row.site_id] = line
        if row.faults or site is None:
            faults.extend(row.faults)
        else:
            sites.append(site)
    if not sites or (faults and not keep_good_rows):
        if not faults:
            faults.append(Fault(0, "", "", "there is a header but no row; add at least one site"))
        raise DataFault(_summary(name, faults), faults=faults)
    return SitesRead(tuple(sites), tuple(faults))


def _rows(content: bytes, name: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Decode the file and yield each row with its line; refuse what is no table of sites at all."""

    def refuse(reason: str) -> DataFault:
        return DataFault(f"{name}: {reason}", faults=[Fault(0, "", "", reason)])

    if not content.strip():
        raise refuse("the file is empty; it needs a header and at least one row")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(f"the file is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader)]
    missing = [column for column in SITE_COLUMNS if column not in header]
    if missing:
        faults = [Fault(1, column, "", "the column is missing") for column in missing]
        raise DataFault(f"{name}: missing column{'s' * (len(missing) > 1)} {', '.join(missing)}", faults=faults)

    def numbered() -> Iterator[tuple[int, Mapping[str, str]]]:
        start = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, dict(zip(header, (cell.strip() for cell in cells), strict=False))
            start = reader.line_num + 1

    return numbered()


class _Row:
    """One row while it is checked: collects every fault instead of stopping at the first."""

    def __init__(self, line: int, values: Mapping[str, str], in_country: InCountry | None) -> None:
        self.line = line
        self.values = values
        self.in_country = in_country
        self.faults: list[Fault] = []
        self.site_id = values.get("site_id", "")

    def fault(self, field: str, reason: str) -> None:
        self.faults.append(Fault(self.line, field, self.values.get(field, "")[:80], reason))

    def site(self) -> Site | None:
        """Build the site; None when a value cannot be used."""
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
        )

    def _required(self, field: str) -> str:
        value = self.values.get(field, "")
        if not value:
            self.fault(field, "is empty; a value is needed")
        return value

    def _list(self, field: str) -> tuple[str, ...]:
        return tuple(part for part in self.values.get(field, "").split(LIST_SEPARATOR) if part)

    def _choice(self, field: str, choices: type[_Choice]) -> _Choice | None:
        value = self._required(field)
        return self._one_of(field, value, choices) if value else None

    def _one_of(self, field: str, value: str, choices: type[_Choice]) -> _Choice | None:
        try:
            return choices(value)
        except ValueError:
            self.fault(field, f"is not known; use one of {', '.join(choices)}")
            return None

    def _number(self, field: str, kind: Callable[[str], float], *, lowest: float = -math.inf) -> float | None:
        text = self.values.get(field, "")
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
        text = self._required(field)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.fault(field, "is not a date; write it as 2025-12-31")
            return None

    def _place(self, country: str) -> Place | None:
        """Read the location; all its cells empty is a site that could not be placed."""
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
            reason = f"the point ({latitude}, {longitude}) does not lie in {country}"
            if abs(longitude) <= 90 and self.in_country(country, Coordinates(latitude=longitude, longitude=latitude)):
                reason += ": latitude and longitude are swapped"
            self.fault("latitude", reason)
            return None
        return Place(
            coordinates=coordinates,
            precision=precision,
            uncertainty_km=uncertainty_km,
            source=self.values.get("location_source", ""),
            country=country,
            name=", ".join(part for part in (self.values.get("city", ""), self.values.get("state", "")) if part),
            postcode=self.values.get("postcode", "") or None,
        )


def _summary(name: str, faults: list[Fault]) -> str:
    shown = "\n".join(f"  {fault}" for fault in faults[:20])
    more = f"\n  and {len(faults) - 20} more" if len(faults) > 20 else ""
    return f"{name} has {len(faults)} fault{'s' * (len(faults) > 1)}:\n{shown}{more}"
