"""From a full code to its coarser parts: the rungs on which a look-up may still stand."""

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
        As `key_of` gives it, or a leading part of that.
    precision
        What such a part stands for in its country.
    """

    key: str
    precision: Precision


def rungs(country: str, key: str) -> tuple[Rung, ...]:
    """Give a code's ladder.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    key
        As `key_of` gives it: a full code or a leading part.

    Returns
    -------
    tuple of Rung
        Finest first, the key itself at the head; empty for an empty key.

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
    """Climb unit, sector, outward code, outward code without its letter ("SW1" holds "SW1A"), area."""
    ladder: list[Rung] = []
    outward, space, inward = key.partition(" ")
    if space:
        ladder.append(Rung(key, Precision.SECTOR))
    elif len(key) >= 5:
        outward, inward = key[:-3], key[-3:]
        # The space keeps sector "E1 1" apart from outward code "E11".
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
    """Climb a CPA: a province's letter, the four old digits, and three letters of the block face."""
    if len(key) == 1 and key.isalpha():
        return (Rung(key, Precision.REGION),)
    digits = key.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")[:4]
    head = (Rung(key, Precision.UNIT),) if key != digits else ()
    ladder = [Rung(digits[:n], p) for n, p in ladder_of("AR", len(digits))]
    if head and key[0].isalpha():
        # The province is nearer than the thousand: 1xxx reaches from the capital far into the province around it.
        ladder.insert(-1, Rung(key[0], Precision.REGION))
    return head + tuple(ladder)


def _canadian(key: str) -> tuple[Rung, ...]:
    """Full code, forward sortation area, and where that is new, its neighbours of the same first two."""
    return tuple(Rung(key[:length], precision) for length, precision in ladder_of("CA", len(key)))
