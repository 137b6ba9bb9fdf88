"""Coarser rungs: the leading parts of codes, with a point and a spread computed from the codes below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from sitematch.gazetteer.build.evidence import Ladders
from sitematch.gazetteer.build.medians import (
    Floats,
    Ints,
    geometric_medians,
    group_quantiles,
    to_degrees,
    to_xyz,
)
from sitematch.gazetteer.build.rows import Rows
from sitematch.gazetteer.schema import PRECISIONS

SHARE = 0.95
"""The share of child codes that a rung's uncertainty covers, each with its own uncertainty."""

_NAME_SHARE = 0.6
_FEW = 1.0
_TIMES, _MORE_KM, _ASIDE = 3.0, 2.0, 0.5
_MANY_CODES = 10_000


def with_coarser(full: Rows, ladders: Ladders) -> Rows:
    """Add every coarser rung of the grammar to the full codes.

    Parameters
    ----------
    full
        Full codes.
    ladders
        A ladder a code, in the same order.

    Returns
    -------
    All rows, sorted by (country, key). A rung's point is the geometric median of its codes; its uncertainty is the
    radius that holds 95 of 100 of them, each with its own uncertainty, and more where there are few (a rung of one
    code may reach as far as the next coarser one). A rung whose key is itself a full code of the source is left as
    the source has it. In the twenty or so countries of most codes, a rung that is
    hardly better than the next coarser one is left out: it would cost the file a tenth of its size.
    """
    number = {precision: index for index, precision in enumerate(PRECISIONS)}
    known = set(full.codes)
    groups: dict[tuple[str, str], list[int]] = {}
    coarse: dict[tuple[str, str], int] = {}
    parents: dict[tuple[str, str], tuple[str, str] | None] = {}
    for at, ((country, _), ladder) in enumerate(zip(full.codes, ladders, strict=True)):
        finer: tuple[str, str] | None = None
        for rung in ladder[1:]:
            code = (country, rung.key)
            if code in known:
                continue
            groups.setdefault(code, []).append(at)
            coarse[code] = number[rung.precision]
            parents.setdefault(code, None)
            if finer is not None:
                parents[finer] = code
            finer = code
    codes = list(groups)
    if not codes:
        return sorted_rows(full)
    member = np.fromiter((at for group in groups.values() for at in group), np.int64)
    counts = np.array([len(group) for group in groups.values()])
    starts = np.concatenate(([0], np.cumsum(counts)))
    xyz = to_xyz(full.latitude[member], full.longitude[member])
    latitude, longitude = to_degrees(geometric_medians(xyz, starts, np.ones(len(member))))
    apart = np.linalg.norm(xyz - np.repeat(to_xyz(latitude, longitude), counts, axis=0), axis=1)
    reach = group_quantiles(apart + full.uncertainty_km[member], starts, SHARE)
    order = {code: at for at, code in enumerate(codes)}
    parent = np.array([order[above] if (above := parents[code]) else -1 for code in codes])
    many = Counter(country for country, _ in full.codes)
    sparse = np.array([many[country] < _MANY_CODES for country, _ in codes])
    kept, upper = _worth_keeping(to_xyz(latitude, longitude), reach, parent, sparse)
    wide = reach * (1 + _FEW / counts)
    alone = (counts == 1) & (upper >= 0)
    reach = np.where(alone, np.maximum(wide, 0.5 * wide[upper]), wide)
    names = [
        _common_name([full.name[at] for at in group]) if keep else ""
        for group, keep in zip(groups.values(), kept.tolist(), strict=True)
    ]
    source = full.source[member[starts[:-1]]]
    codes = [code for code, keep in zip(codes, kept.tolist(), strict=True) if keep]
    names = [name for name, keep in zip(names, kept.tolist(), strict=True) if keep]
    latitude, longitude, reach, counts, source = (
        latitude[kept],
        longitude[kept],
        reach[kept],
        counts[kept],
        source[kept],
    )
    return sorted_rows(
        Rows(
            codes=(*full.codes, *codes),
            latitude=np.concatenate((full.latitude, latitude)),
            longitude=np.concatenate((full.longitude, longitude)),
            precision=np.concatenate((full.precision, [coarse[code] for code in codes])).astype(np.int8),
            uncertainty_km=np.concatenate((full.uncertainty_km, reach)),
            name=(*full.name, *names),
            source=np.concatenate((full.source, source)).astype(np.int8),
            children=np.concatenate((full.children, counts)),
        )
    )


def _worth_keeping(
    xyz: Floats, reach: Floats, parent: Ints, sparse: np.typing.NDArray[np.bool_]
) -> tuple[np.typing.NDArray[np.bool_], Ints]:
    """Choose the rungs that say clearly more than the nearest coarser rung that is kept.

    ``parent`` is the next coarser rung, -1 for none; a rung that is ``sparse`` is always kept. Gives the
    choice, and the nearest coarser rung kept.
    """
    kept = np.zeros(len(reach), np.bool_)
    above = parent.copy()
    depth = np.zeros(len(reach), np.int64)
    walk = parent.copy()
    while (walk >= 0).any():
        depth += walk >= 0
        walk = np.where(walk >= 0, parent[walk], -1)
    for level in range(int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        up = above[here]
        # A rung that was dropped hands its own coarser rung on.
        for _ in range(level):
            up = np.where((up >= 0) & ~kept[up], above[up], up)
        above[here] = up
        apart = np.linalg.norm(xyz[here] - xyz[up], axis=1)
        kept[here] = (
            sparse[here] | (up < 0) | (reach[up] > _TIMES * reach[here] + _MORE_KM) | (apart > _ASIDE * reach[up])
        )
    return kept, above


def sorted_rows(rows: Rows) -> Rows:
    """Sort rows by (country, key)."""
    order = np.array(sorted(range(len(rows)), key=rows.codes.__getitem__), np.int64)
    return Rows(
        codes=tuple(rows.codes[at] for at in order),
        latitude=rows.latitude[order],
        longitude=rows.longitude[order],
        precision=rows.precision[order],
        uncertainty_km=rows.uncertainty_km[order],
        name=tuple(rows.name[at] for at in order),
        source=rows.source[order],
        children=rows.children[order],
    )


def _common_name(names: Sequence[str]) -> str:
    """Give the name that most of the codes share, else the state that most share, else nothing.

    Examples
    --------
    >>> _common_name(["Miami, Florida", "Miami, Florida", "Hialeah, Florida"])
    'Miami, Florida'
    >>> _common_name(["Tampa, Florida", "Miami, Florida", "Hialeah, Florida"])
    'Florida'
    >>> _common_name(["Bern", "Basel"])
    ''
    """
    for candidates in (names, [name.rpartition(", ")[2] for name in names]):
        name, count = min(Counter(candidates).items(), key=lambda item: (-item[1], item[0]))
        if count >= _NAME_SHARE * len(names):
            return name
    return ""
