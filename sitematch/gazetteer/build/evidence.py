"""What the build knows of each full code before it decides whether to believe its point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sitematch.gazetteer import grammar
from sitematch.gazetteer.build.medians import Floats, Ints, to_xyz
from sitematch.gazetteer.build.rows import Rows, Town
from sitematch.gazetteer.grammar import Rung

Ladders = Sequence[tuple[Rung, ...]]
"""A ladder a code, the full code first."""

_NAME_ENDINGS = (" county", " district", " urban", " city", " shi", " qu", " gpo", " ho", " mdg", " s.o", " h.o")


def ladders_of(codes: Sequence[tuple[str, str]]) -> Ladders:
    """Give each code's ladder; codes share the objects of the rungs that they share, five million of them."""
    shared: dict[str, dict[str, Rung]] = defaultdict(dict)
    ladders: list[tuple[Rung, ...]] = []
    for country, key in codes:
        known = shared[country]
        full, *coarser = grammar.rungs(country, key)
        ladders.append((full, *(known.setdefault(rung.key, rung) for rung in coarser)))
    return ladders


@dataclass(slots=True)
class Draft:
    """Full codes whose points may still move; what moved them is kept.

    Parameters
    ----------
    rows
        The codes; their arrays are changed in place by `move`.
    ladders
        See `Ladders`.
    country
        A country a code, for masks.
    place, state
        What the source calls the place and its state, a code; either may be empty.
    estimated
        Whether the source has no better than an estimated point for the code, or does not say how it came by it.
    trusted
        Whether the source has the middle of addresses or of a shape for the code.
    repairs
        Moves so far, code index to (was_latitude, was_longitude, why, rule).
    """

    rows: Rows
    ladders: Ladders
    country: npt.NDArray[np.str_]
    place: Sequence[str]
    state: Sequence[str]
    estimated: npt.NDArray[np.bool_]
    trusted: npt.NDArray[np.bool_]
    repairs: dict[int, tuple[float, float, str, str]]

    def xyz(self, members: Ints) -> Floats:
        """Give the codes' points in space."""
        return to_xyz(self.rows.latitude[members], self.rows.longitude[members])

    def move(
        self, at: int, latitude: float, longitude: float, uncertainty_km: float, source: int, why: str, *, rule: str
    ) -> None:
        """Put a code elsewhere; the first place it had is remembered, all the reasons, and the last rule's name."""
        was = self.repairs.get(at)
        if was is None:
            self.repairs[at] = (float(self.rows.latitude[at]), float(self.rows.longitude[at]), why, rule)
        else:
            self.repairs[at] = (was[0], was[1], f"{was[2]}; then {why}", rule)
        self.rows.latitude[at] = latitude
        self.rows.longitude[at] = longitude
        self.rows.uncertainty_km[at] = uncertainty_km
        self.rows.source[at] = source


class TownIndex:
    """Towns by country and folded name.

    Parameters
    ----------
    towns
        Every town.
    """

    def __init__(self, towns: Sequence[Town]) -> None:
        self._by_name: dict[tuple[str, str], list[Town]] = defaultdict(list)
        self._by_country: dict[str, list[Town]] = defaultdict(list)
        # Many codes bear one name, and folding it is slow.
        self._named: dict[tuple[str, str], Sequence[Town]] = {}
        self._beginning: dict[tuple[str, str], Sequence[Town]] = {}
        for town in towns:
            self._by_country[town.country].append(town)
            for key in town.aliases:
                self._by_name[town.country, key].append(town)

    def of_country(self, country: str) -> Sequence[Town]:
        """Give a country's towns, by id."""
        return self._by_country.get(country, ())

    def named(self, country: str, name: str) -> Sequence[Town]:
        """Give a country's towns of a name, also without an ending such as "County" or "G.P.O."."""
        asked = (country, name)
        if asked not in self._named:
            readings = (self._by_name.get((country, text)) for text in _readings(name))
            self._named[asked] = next((found for found in readings if found), ())
        return self._named[asked]

    def beginning(self, country: str, name: str) -> Sequence[Town]:
        """Give the towns whose name a longer name begins with ("Bangalore G.P.O."): the longest such beginning's."""
        asked = (country, name)
        if asked not in self._beginning:
            words = grammar.fold_name(name).split()
            beginnings = (self._by_name.get((country, " ".join(words[:end]))) for end in range(len(words), 0, -1))
            self._beginning[asked] = next((found for found in beginnings if found), ())
        return self._beginning[asked]


def _readings(name: str) -> list[str]:
    key = grammar.fold_name(name)
    readings = [key]
    if " - " in name:  # "Celje - dostava"
        readings.append(grammar.fold_name(name.partition(" - ")[0]))
    for ending in _NAME_ENDINGS:
        if key.endswith(ending):
            readings.append(key.removesuffix(ending))
    return readings


def groups_of(ladders: Ladders, countries: npt.NDArray[np.str_], least: int) -> Mapping[tuple[str, str], list[int]]:
    """Group each code with those around it in code order: under its finest rung of at least ``least`` codes.

    Parameters
    ----------
    ladders
        See `Ladders`.
    countries
        A country a code.
    least
        Fewest members of a group.

    Returns
    -------
    (country, rung key) to code indices; a code without such a rung is in no group.
    """
    members: dict[tuple[str, str], int] = defaultdict(int)
    names = countries.tolist()
    for country, ladder in zip(names, ladders, strict=True):
        for rung in ladder[1:]:
            members[country, rung.key] += 1
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, (country, ladder) in enumerate(zip(names, ladders, strict=True)):
        for rung in ladder[1:]:
            if members[country, rung.key] >= least:
                groups[country, rung.key].append(at)
                break
    return groups
