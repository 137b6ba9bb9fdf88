"""The grammar of FHIR's search values: separators and their escapes, tokens, references, ``near``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from sitematch.domain.place import Coordinates
from sitematch.errors import InvalidInput
from sitematch.exporters.fhir.bundle import UNITS_KM
from sitematch.services.studies.directory import SearchCentre

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_EVERYDAY = {"mi": "[mi_i]", "mile": "[mi_i]", "miles": "[mi_i]", "nmi": "[nmi_i]", "ft": "[ft_i]", "yd": "[yd_i]"}
"""Everyday words for units, which UCUM lacks or uses otherwise."""
_SHOWN = 40
"""Maximum number of characters of the caller's text in a message."""


def split(text: str, separator: str) -> list[str]:
    r"""Split at a separator without a preceding backslash; escapes are kept.

    Examples
    --------
    >>> split(r"a\,b,c", ",")
    ['a\\,b', 'c']
    """
    return list(_pieces(text, separator))


def _pieces(text: str, separator: str) -> Iterator[str]:
    start, position = 0, 0
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == separator:
            yield text[start:position]
            start = position + 1
        position += 1
    yield text[start:]


def unescape(text: str) -> str:
    r"""Remove FHIR's backslashes before ``,``, ``|``, ``$`` and ``\``.

    Examples
    --------
    >>> unescape(r"a\,b\\c\d")
    'a,b\\c\\d'
    """
    return re.sub(r"\\([,|$\\])", r"\1", text)


def values(name: str, text: str) -> tuple[str, ...]:
    """Return the values, one of which must match.

    Raises
    ------
    InvalidInput
        If one of them is empty.
    """
    found = tuple(unescape(piece) for piece in split(text, ","))
    if not all(piece.strip() for piece in found):
        raise InvalidInput(f"{name} is empty or contains an empty value.", field=name)
    return found


def tokens(name: str, text: str, system: Callable[[str], bool]) -> frozenset[str]:
    """Return the codes of tokens: ``code``, ``system|code`` or ``|code``.

    Parameters
    ----------
    name
        The name of the parameter.
    text
        Its value.
    system
        Returns whether a system contains our codes; codes from another system cannot match.

    Raises
    ------
    InvalidInput
        If a token is empty.
    """
    codes = set()
    for piece in split(text, ","):
        parts = split(piece, "|")
        code = unescape(parts[-1])
        if len(parts) > 2 or not code:
            raise InvalidInput(f"{name} takes codes, or a system and a code: system|code.", field=name)
        if len(parts) == 1 or system(unescape(parts[0])):
            codes.add(code)
    return frozenset(codes)


def reference_ids(name: str, text: str, kind: str) -> tuple[str, ...]:
    """Return the ids of references to a type: ``id``, ``Type/id`` or a URL that ends with it.

    Raises
    ------
    InvalidInput
        If a reference is empty or has another type.
    """
    found = []
    for value in values(name, text):
        parts = value.split("/")
        if not parts[-1] or (len(parts) > 1 and parts[-2] != kind):
            raise InvalidInput(f"{name} takes a reference to a {kind}, e.g. {kind}/NCT06064929-001.", field=name)
        found.append(parts[-1])
    return tuple(found)


def near(name: str, text: str) -> tuple[SearchCentre, str]:
    """Parse ``latitude|longitude|distance|units``.

    Parameters
    ----------
    name
        The name of the parameter.
    text
        Decimal degrees on WGS84; the last two parts are optional: without a distance, the whole globe is searched;
        and any unit is taken; without a unit, it is in kilometres. ``mi`` is the international mile.

    Returns
    -------
    tuple
        The point with the distance, and the unit's UCUM code.

    Raises
    ------
    InvalidInput
        If it has another form. The message does not repeat it, because it may say where somebody lives.
    InvalidCoordinates
        If the point is not on the globe.
    """
    parts = [unescape(part).strip() for part in split(text, "|")]
    if not 2 <= len(parts) <= 4 or len(split(text, ",")) > 1:
        raise InvalidInput(f"{name} takes latitude|longitude|distance|units, once, with decimal points.", field=name)
    latitude, longitude = (_number(name, part, "latitude and longitude") for part in parts[:2])
    has_distance = len(parts) > 2 and bool(parts[2])
    unit = parts[3] if len(parts) > 3 and parts[3] else "km"
    unit = _EVERYDAY.get(unit, unit)
    if unit not in UNITS_KM and not has_distance:
        unit = "km"
    if unit not in UNITS_KM:
        raise InvalidInput(
            f"{name}: the unit {unit[:_SHOWN]!r} is unknown. Use one of these UCUM codes: {', '.join(UNITS_KM)}.",
            field=name,
        )
    km = None
    if has_distance:
        km = _number(name, parts[2], "distance") * UNITS_KM[unit]
        if km < 0:
            raise InvalidInput(f"{name}: the distance is less than 0.", field=name)
    try:
        point = Coordinates(latitude=latitude, longitude=longitude)
    except InvalidInput:
        raise InvalidInput(
            f"{name}: give a latitude from -90 to 90, then a longitude from -180 to 180.", field=name
        ) from None
    return SearchCentre(point, km), unit


def _number(name: str, text: str, what: str) -> float:
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"{name}: the {what} must be decimal numbers, e.g. 25.96|-80.14|50|km.", field=name)
    return number
