"""The coarser parts of a full code, as rungs for a look-up."""

from __future__ import annotations

from dataclasses import dataclass

from sitematch.domain.place import Precision
from sitematch.gazetteer.grammar.forms import BRITISH, ladder_of


@dataclass(frozen=True, slots=True)
class Rung:
    """A code or a leading part of one.

    Parameters
    ----------
    key
        A key from `key_of`, or a leading part of it.
    precision
        The kind of area of such a part in its country.
    """

    key: str
    precision: Precision


def rungs(country: str, key: str) -> tuple[Rung, ...]:
    """Return a code's ladder.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    key
        A key from `key_of`: a full code or a leading part.

    Returns
    -------
    tuple of Rung
        Finest first, beginning with the key itself; empty for an empty key.

    Examples
    --------
    >>> [rung.key for rung in rungs("GB", "SW1A1AA")]
    ['SW1A1AA', 'SW1A 1', 'SW1A', 'SW1', 'SW']
    >>> [(rung.key, str(rung.precision)) for rung in rungs("US", "331801234")]
    [('331801234', 'UNIT'), ('33180', 'DISTRICT'), ('3318', 'REGION'), ('331', 'REGION')]
    >>> [rung.key for rung in rungs("AR", "C1426ABC")]
    ['C1426ABC', '1426', '142', '14', 'C', '1']
    """
    if not key:
        return ()
    if country in BRITISH:
        return _british(key)
    if country == "AR":
        return _argentine(key)
    if country == "CA":
        return _canadian(key)
    return tuple(Rung(key[:length], precision) for length, precision in ladder_of(country, len(key)))


def _british(key: str) -> tuple[Rung, ...]:
    """Return unit, sector, outward code, outward code without its letter ("SW1" contains "SW1A"), area."""
    ladder: list[Rung] = []
    outward, space, inward = key.partition(" ")
    if space:
        ladder.append(Rung(key, Precision.SECTOR))
    elif len(key) >= 5:
        outward, inward = key[:-3], key[-3:]
        # The space distinguishes sector "E1 1" from outward code "E11".
        ladder += [Rung(key, Precision.UNIT), Rung(f"{outward} {inward[0]}", Precision.SECTOR)]
    area = outward.rstrip("0123456789")
    if outward[-1:].isalpha() and outward[:-1].rstrip("0123456789") != outward[:-1]:
        ladder += [Rung(outward, Precision.DISTRICT), Rung(outward[:-1], Precision.DISTRICT)]
        area = outward[:-1].rstrip("0123456789")
    else:
        ladder.append(Rung(outward, Precision.DISTRICT))
    if area and area != outward:
        ladder.append(Rung(area, Precision.REGION))
    return tuple(ladder)


def _argentine(key: str) -> tuple[Rung, ...]:
    """Return the parts of a CPA: a province's letter, the four old digits, and three letters of the block face."""
    if len(key) == 1 and key.isalpha():
        return (Rung(key, Precision.REGION),)
    digits = key.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")[:4]
    head = (Rung(key, Precision.UNIT),) if key != digits else ()
    ladder = [Rung(digits[:n], p) for n, p in ladder_of("AR", len(digits))]
    if head and key[0].isalpha():
        # The province is more precise than the thousand: 1xxx extends from the capital far into the province around it.
        ladder.insert(-1, Rung(key[0], Precision.REGION))
    return head + tuple(ladder)


def _canadian(key: str) -> tuple[Rung, ...]:
    """Return full code, forward sortation area, and, for a new area, the first two characters."""
    return tuple(Rung(key[:length], precision) for length, precision in ladder_of("CA", len(key)))
