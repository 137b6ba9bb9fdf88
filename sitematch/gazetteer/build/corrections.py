"""Single codes that the sources have wrong or lack: `data/gazetteer/corrections.csv`, each with who says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.evidence import Draft
from sitematch.gazetteer.build.rows import joined_name
from sitematch.gazetteer.build.sources import CORRECTIONS

RULE = "the national post says where it is"


@dataclass(frozen=True, slots=True)
class Correction:
    """Where a code is.

    Parameters
    ----------
    key
        As `grammar.key_of` gives it.
    place, state
        Its name.
    latitude, longitude
        Degrees, WGS84.
    reach_km
        How far it reaches.
    """

    key: str
    place: str
    state: str
    latitude: float
    longitude: float
    reach_km: float


def read_corrections(content: bytes) -> Mapping[str, Sequence[Correction]]:
    """Decode the committed table.

    Parameters
    ----------
    content
        CSV with the columns country, key, place, state, latitude, longitude, reach_km, source.

    Returns
    -------
    Country to its codes, in the order of the table.

    Raises
    ------
    DataFault
        If a row is not of that form, or names no source; every such row is listed.
    """
    found: dict[str, list[Correction]] = {}
    faults: list[Fault] = []
    for line, row in enumerate(csv.DictReader(io.StringIO(content.decode("utf-8"))), start=2):
        try:
            numbers = [float(row[name]) for name in ("latitude", "longitude", "reach_km")]
            if not row["key"] or not row["source"]:
                raise ValueError("has no key or no source")
            one = Correction(row["key"], row["place"], row["state"], *numbers)
        except (KeyError, TypeError, ValueError) as error:
            faults.append(Fault(line, "", str(row)[:80], str(error)))
            continue
        found.setdefault(row["country"], []).append(one)
    if faults:
        raise DataFault("data/gazetteer/corrections.csv has faults.", faults=tuple(faults))
    return found


def correct(draft: Draft, corrections: Sequence[Correction]) -> None:
    """Put the codes of the table where it says, beyond further doubt."""
    at_key = {key: at for at, (_, key) in enumerate(draft.rows.codes)} if corrections else {}
    for one in corrections:
        at = at_key[one.key]
        why = "the national post says where it is"
        draft.move(at, one.latitude, one.longitude, one.reach_km, CORRECTIONS.id, why, rule=RULE)
        draft.trusted[at] = True


def corrected_names(draft: Draft, names: Sequence[str], corrections: Sequence[Correction]) -> tuple[str, ...]:
    """Call the codes of the table what it calls them; the others keep their names, one a code."""
    said = {one.key: joined_name(one.place, one.state) for one in corrections}
    return tuple(said.get(key, name) for (_, key), name in zip(draft.rows.codes, names, strict=True))
