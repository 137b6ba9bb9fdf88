"""Reading single fields of a location; an unusable value affects only its field and causes a notice."""

from __future__ import annotations

import re
from typing import Any

from sitematch.domain.place import Coordinates
from sitematch.domain.studies.record import RecordLocation
from sitematch.domain.studies.status_words import is_silent, read_status
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.errors import Fault, InvalidCoordinates
from sitematch.importers.text import tidy

_DECIMAL = re.compile(r"\s*([+\-\u2212]?\d{1,3})(?:[.,](\d*))?\s*°?\s*")


def text_field(value: Any, name: str, flags: list[str]) -> str:
    """Read a text; a number is used as it is written.

    Parameters
    ----------
    value
        The value in the record; None is empty.
    name
        The field, for the notice.
    flags
        Gets a notice if the value is neither text nor number.
    """
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is not None:
        flags.append(f"The record's {name} is not a text, so it was left out: {str(value)[:40]!r}.")
    return ""


def status_field(text: str, flags: list[str]) -> RecruitmentStatus | None:
    """Read a status; None if the record has none, UNKNOWN with a notice if its words are unknown.

    Examples
    --------
    >>> flags: list[str] = []
    >>> print(status_field("", flags), status_field("Open to accrual", flags), status_field("Whatever", flags))
    None RECRUITING UNKNOWN
    >>> flags
    ["The status 'Whatever' is unknown, so the site's status is UNKNOWN."]
    """
    if is_silent(text):
        return None
    status = read_status(text)
    if status is None:
        flags.append(f"The status {text[:40]!r} is unknown, so the site's status is UNKNOWN.")
        return RecruitmentStatus.UNKNOWN
    return status


def point_field(latitude: Any, longitude: Any, flags: list[str]) -> Coordinates | None:
    """Read a point; None with a notice if it is not on the globe, or is 0, 0, which means "unknown".

    Parameters
    ----------
    latitude, longitude
        Numbers, or texts with a decimal point or comma, degrees; None or empty is no point.
    flags
        Takes the notice.

    Examples
    --------
    >>> point_field("52,52", "13,38", [])
    Coordinates(latitude=52.52, longitude=13.38)
    """
    if latitude in (None, "") and longitude in (None, ""):
        return None
    written = f"{latitude}, {longitude}"[:40]
    degrees = _degrees(latitude), _degrees(longitude)
    if degrees[0] is None or degrees[1] is None:
        flags.append(f"The record's point ({written}) is not two decimal numbers, so it was left out.")
        return None
    if degrees == (0.0, 0.0):
        flags.append("The record's point is 0, 0, which is in the sea off Africa, so it was left out.")
        return None
    try:
        return Coordinates(latitude=degrees[0], longitude=degrees[1])
    except InvalidCoordinates as error:
        flags.append(f"The record's point ({written}) was left out: {error.message}")
        return None


def study_status(text: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether a record states a known status of the study, and the notices about it."""
    if read_status(text) is not None:
        return True, ()
    if is_silent(text):
        return False, ("The record gives no status for the study.",)
    return False, (f"The record gives the study the status {text[:40]!r}, which is unknown.",)


def nothing_known(fault: Fault) -> RecordLocation:
    """Return the location for an error without any readable value: it may be any site."""
    return RecordLocation(where=fault.place, facility="", city="", country="")


def _degrees(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return float(f"{found[1].replace(chr(0x2212), '-')}.{found[2] or 0}")
