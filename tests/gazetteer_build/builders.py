"""Small drafts and towns for the build's tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sitematch.gazetteer import grammar
from sitematch.gazetteer.build.evidence import Draft
from sitematch.gazetteer.build.rows import Rows, Town, joined_name
from sitematch.gazetteer.build.sources import POSTAL

Code = tuple[str, str, float, float, str, str]
"""country, key, latitude, longitude, place, state"""


def make_rows(codes: Sequence[Code], **changes: object) -> Rows:
    ordered = sorted(codes)
    count = len(ordered)
    fields: dict[str, object] = {
        "codes": tuple((code[0], code[1]) for code in ordered),
        "latitude": np.array([code[2] for code in ordered]),
        "longitude": np.array([code[3] for code in ordered]),
        "precision": np.full(count, 3, np.int8),
        "uncertainty_km": np.full(count, 1.0),
        "name": tuple(joined_name(code[4], code[5]) for code in ordered),
        "source": np.full(count, POSTAL.id, np.int8),
        "children": np.zeros(count, np.int64),
    }
    return Rows(**(fields | changes))  # type: ignore[arg-type]


def make_draft(codes: Sequence[Code], *, estimated: bool = False) -> Draft:
    ordered = sorted(codes)
    rows = make_rows(codes)
    return Draft(
        rows=rows,
        ladders=[grammar.rungs(*code) for code in rows.codes],
        country=np.array([code[0] for code in ordered]),
        place=[code[4] for code in ordered],
        state=[code[5] for code in ordered],
        estimated=np.full(len(ordered), estimated),
        trusted=np.zeros(len(ordered), np.bool_),
        repairs={},
    )


def make_town(**changes: object) -> Town:
    fields: dict[str, object] = {
        "id": 1,
        "country": "DE",
        "name": "Köln",
        "admin": "Nordrhein-Westfalen",
        "latitude": 50.9375,
        "longitude": 6.9603,
        "uncertainty_km": 15.0,
        "population": 1_000_000,
    } | changes
    keys = grammar.name_keys(str(fields["name"]))
    return Town(**({"keys": keys, "aliases": keys} | fields))  # type: ignore[arg-type]
