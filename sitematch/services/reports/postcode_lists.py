"""A list of postcodes, which are only located and counted."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sitematch.errors import DataFault, Fault, InvalidInput

MAX_ROWS = 1_000_000
"""Maximum number of rows in one list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostcodeList:
    """Postcodes as given; never shown, logged or stored.

    Parameters
    ----------
    postcodes
        As typed.
    countries
        The country of each: name or ISO 3166-1 code.
    counts
        The number of people for each, at least 0.
    """

    # Not in the representation, because a traceback or a log must not show them.
    postcodes: tuple[str, ...] = field(repr=False)
    countries: tuple[str, ...] = field(repr=False)
    counts: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not len(self.postcodes) == len(self.countries) == len(self.counts):
            raise InvalidInput("Give one country and one number of people for each postcode.", field="postcodes")
        if len(self.postcodes) > MAX_ROWS:
            raise InvalidInput(f"Give at most {MAX_ROWS} postcodes at once.", field="postcodes")
        for i, count in enumerate(self.counts):
            if not (math.isfinite(count) and count >= 0):
                raise InvalidInput(f"people[{i}] is {count}; give numbers of 0 or more.", field="people")
        if not sum(self.counts) > 0:
            raise InvalidInput("The list is empty. Give at least one postcode.", field="postcodes")


def read_postcode_list(
    path: Path, *, column: str, country: str | None, country_column: str | None, people_column: str | None
) -> PostcodeList:
    """Read a CSV file.

    Parameters
    ----------
    path
        UTF-8, with or without a byte order mark, with a header.
    column
        The column of postcodes.
    country
        For rows without a country.
    country_column
        The column of countries, if there is one.
    people_column
        The column with the number of people; without it, each row is one person.

    Raises
    ------
    DataFault
        If the file cannot be read, a column is missing, or a number of people is invalid; the message has no postcode.
    InvalidInput
        If neither a country nor its column is given, or the list is empty or too long.
    """
    if country is None and country_column is None:
        raise InvalidInput("Give the country of the postcodes, or the column that has it.", field="country")
    postcodes, countries, counts = [], [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, strict=True)
            pick = _picker(path, rows.fieldnames or ())
            code_name, country_name, people_name = pick(column), pick(country_column), pick(people_column)
            for row in rows:
                postcodes.append(row[code_name or ""] or "")
                countries.append((row[country_name] if country_name else None) or country or "")
                counts.append(_count(path, rows.line_num, people_name, row[people_name]) if people_name else 1.0)
    except UnicodeDecodeError as error:
        raise _fault(path, 0, "", f"not UTF-8 ({error.reason}); save it as UTF-8 CSV") from None
    except csv.Error as error:
        raise _fault(path, 0, "", f"not a CSV file: {error}") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", field="postcodes") from None
    return PostcodeList(postcodes=tuple(postcodes), countries=tuple(countries), counts=tuple(counts))


def _picker(path: Path, header: Sequence[str]) -> Callable[[str | None], str | None]:
    def pick(name: str | None) -> str | None:
        if name is None or name in header:
            return name
        raise _fault(path, 1, name, f"no such column; the columns are: {', '.join(header) or 'none'}")

    return pick


def _count(path: Path, line: int, name: str, text: str | None) -> float:
    try:
        count = float(text or "")
    except ValueError:
        count = math.nan
    if not (math.isfinite(count) and count >= 0):
        raise _fault(path, line, name, "not a number of people, 0 or more")
    return count


def _fault(path: Path, line: int, column: str, reason: str) -> DataFault:
    # No value in the message: the wrong column may have been named, and contain postcodes.
    fault = Fault(line=line, field=column, value="", reason=reason)
    return DataFault(f"{path.name}: {fault}.", faults=[fault])
