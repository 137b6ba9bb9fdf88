"""Postcode units packed into their sector: six bytes each, so that 1.7 million of them take ten megabytes."""

from __future__ import annotations

import struct

UNIT_COUNTRIES = frozenset({"GB"})
"""Countries whose units are packed."""

_RECORD = struct.Struct(">Hhh")
UNIT_BYTES = _RECORD.size
_LETTERS = 26


def sector_of(key: str) -> str | None:
    """Give the sector of a unit; None if the key is no unit.

    Examples
    --------
    >>> sector_of("SW1A1AA"), sector_of("SW1A 1"), sector_of("SW1A")
    ('SW1A 1', None, None)
    """
    if len(key) < 5 or not key[-3].isdigit() or not key[-2:].isalpha() or not key.isascii():
        return None
    return f"{key[:-3]} {key[-3]}"


def pack_unit(letters: str, high: int, wide: int) -> bytes:
    """Pack one unit.

    Parameters
    ----------
    letters
        Its last two, upper-case.
    high, wide
        How far it lies north and east of its sector's point, in stored units (`schema.DEGREE`).
    """
    return _RECORD.pack(_number(letters), high, wide)


def find_unit(units: bytes, letters: str) -> tuple[int, int] | None:
    """Find a unit among the packed units of its sector, sorted by their letters.

    Examples
    --------
    >>> units = pack_unit("AA", 3, -4) + pack_unit("BD", 5, 6)
    >>> find_unit(units, "BD"), find_unit(units, "BC")
    ((5, 6), None)
    """
    wanted = _number(letters)
    low, high = 0, len(units) // UNIT_BYTES
    while low < high:
        middle = (low + high) // 2
        number, north, east = _RECORD.unpack_from(units, middle * UNIT_BYTES)
        if number == wanted:
            return north, east
        if number < wanted:
            low = middle + 1
        else:
            high = middle
    return None


def _number(letters: str) -> int:
    return (ord(letters[0]) - ord("A")) * _LETTERS + ord(letters[1]) - ord("A")
