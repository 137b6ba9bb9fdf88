"""The columns of a table of patients that say where each is, and the look-up of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sitematch.errors import InvalidInput
from sitematch.gazetteer.batch_csv import CODE_NAMES, COUNTRY_NAMES, STATE_NAMES, TOWN_NAMES
from sitematch.services.finding.many import PatientQuery

LATITUDE_NAMES = ("latitude", "lat")
LONGITUDE_NAMES = ("longitude", "lon", "lng", "long")


@dataclass(frozen=True, slots=True)
class PatientColumns:
    """The names of the columns that say where a patient is; None for none.

    Parameters
    ----------
    postcode, country, town, state, latitude, longitude
        See `sitematch.match_many`.
    """

    postcode: str | None
    country: str | None
    town: str | None
    state: str | None
    latitude: str | None
    longitude: str | None

    @classmethod
    def of(cls, names: Sequence[str], *, postcode: str | None = None, country: str | None = None) -> PatientColumns:
        """Find the columns by their usual names; capitals and spaces do not matter.

        Raises
        ------
        InvalidInput
            If a named column is missing, or nothing says where the patients are.
        """
        for given, option in ((postcode, "postcode"), (country, "country")):
            if given is not None and given not in names:
                raise InvalidInput(f"There is no column {given!r}. The columns are {', '.join(names)}.", field=option)
        folded = {name.strip().lower().replace(" ", "_"): name for name in reversed(names)}

        def first(known: Sequence[str]) -> str | None:
            return next((folded[name] for name in known if name in folded), None)

        found = cls(
            postcode or first(CODE_NAMES),
            country or first(COUNTRY_NAMES),
            first(TOWN_NAMES),
            first(STATE_NAMES),
            first(LATITUDE_NAMES),
            first(LONGITUDE_NAMES),
        )
        if found.postcode is None and found.town is None and (found.latitude is None or found.longitude is None):
            raise InvalidInput(
                f"No column says where the patients are. Name one {', '.join(CODE_NAMES[:4])} or town, "
                "or give latitude and longitude.",
                field="postcode",
            )
        return found

    def asked(self, postcode: Any, country: Any, town: Any, state: Any, latitude: Any, longitude: Any) -> PatientQuery:
        """Return the look-up of one row from its cells."""
        where = read_text_cell(town)
        if where and (region := read_text_cell(state)):
            where = f"{where}, {region}"
        point = (read_degrees_cell(latitude), read_degrees_cell(longitude))
        return PatientQuery(read_text_cell(postcode), read_text_cell(country), where, *point)

    @property
    def in_order(self) -> tuple[str | None, ...]:
        """Return the names in the order of the arguments of `asked`."""
        return (self.postcode, self.country, self.town, self.state, self.latitude, self.longitude)


def read_text_cell(value: Any) -> str:
    """Return a cell as text, because spreadsheets turn codes into numbers, and into floats if a cell is empty.

    Examples
    --------
    >>> read_text_cell(33180.0), read_text_cell(float("nan")), read_text_cell(" SW1A 1AA ")
    ('33180', '', 'SW1A 1AA')
    """
    if value is None or value != value:  # NaN is not equal to itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read_degrees_cell(value: Any) -> float | None:
    """Return a cell as degrees; None if it is empty, and not a number if it is a text that is none.

    Examples
    --------
    >>> read_degrees_cell("25.9"), read_degrees_cell(""), read_degrees_cell("north")
    (25.9, None, nan)
    """
    if value is None or value != value or value == "":
        return None
    try:
        return float(value)
    except ValueError:
        return float("nan")
