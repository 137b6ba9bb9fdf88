"""Which referral goes to which site: the most placements, then the least total distance, under nested caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sitematch.domain.capacity.caps import CapKey, CapLevel

_FIRST_PAIRS = 10
"""How many of each referral's nearest sites the search starts with."""

_MOST_JOINING = 2_000
"""How many more pairs may join in one round."""

_TOLERANCE = 1e-10
"""Of reduced costs, in kilometres: a tenth of a micrometre."""


def choose_pairs(
    pairs: Sequence[tuple[str, str]],
    km: Sequence[float],
    arm_of: Mapping[str, str | None],
    caps: Mapping[tuple[str, str | None], Sequence[CapKey]],
    room: Mapping[CapKey, int],
) -> list[tuple[str, str]]:
    """Choose pairs of referral and site: most of them, then the least total distance.

    Notes
    -----
    The caps are nested: a referral in its arm in the study, a site in its country. So the choice is a flow in a
    network, and the linear program has a solution in whole numbers. It starts with each referral's nearest pairs. The
    others join when the prices of the limits show that they can improve the choice (column generation), so the result
    is the optimum over all pairs.
    """
    if not pairs:
        return []
    import numpy as np

    number: dict[CapKey | str, int] = {}
    limits: list[float] = []
    for referral, _ in pairs:
        if referral not in number:
            number[referral] = len(limits)
            limits.append(1)
    for cap, spots in room.items():
        number[cap] = len(limits)
        limits.append(spots)
    cap_rows = {at: [number[cap] for cap in applying if cap in room] for at, applying in caps.items()}
    row_lists = [[number[referral], *cap_rows[site, arm_of[referral]]] for referral, site in pairs]
    by_referral: dict[str, list[int]] = {}
    for j, (referral, _) in enumerate(pairs):
        by_referral.setdefault(referral, []).append(j)
    active = {j for own in by_referral.values() for j in sorted(own, key=lambda j: (km[j], j))[:_FIRST_PAIRS]}
    most = _most(pairs, arm_of, caps, room)
    chosen = _Program(np.array(limits, float), row_lists).optimum(np.array(km), active.union(most), len(most))
    return [pair for pair, is_chosen in zip(pairs, chosen, strict=True) if is_chosen]


def _most(
    pairs: Sequence[tuple[str, str]],
    arm_of: Mapping[str, str | None],
    caps: Mapping[tuple[str, str | None], Sequence[CapKey]],
    room: Mapping[CapKey, int],
) -> list[int]:
    """Return the numbers of as many pairs as can be chosen together: a maximum flow from the study to the sites."""
    import numpy as np
    from scipy import sparse
    from scipy.sparse.csgraph import maximum_flow

    everybody = len({referral for referral, _ in pairs})
    levels = {at: {key.level: key for key in applying} for at, applying in caps.items()}
    # The level itself stands for those without an arm.
    groups = {at: of.get(CapLevel.ARM, CapLevel.ARM) for at, of in levels.items()}
    edges: dict[tuple[object, object], int] = {}
    for at in {(site, arm_of[referral]) for referral, site in pairs}:
        of, arm = levels[at], groups[at]
        study, country, site = of[CapLevel.STUDY], of[CapLevel.COUNTRY], of[CapLevel.SITE]
        edges["start", study] = room.get(study, everybody)
        edges[study, arm] = room.get(arm, everybody) if isinstance(arm, CapKey) else everybody
        edges[site, country] = room.get(site, everybody)
        edges[country, "end"] = room.get(country, everybody)
    for referral, site_id in pairs:
        at = site_id, arm_of[referral]
        edges[groups[at], (referral,)] = 1
        edges[(referral,), levels[at][CapLevel.SITE]] = 1
    nodes = {node: number for number, node in enumerate(dict.fromkeys(node for edge in edges for node in edge))}
    starts, ends = ([nodes[edge[side]] for edge in edges] for side in (0, 1))
    limits = np.minimum(np.fromiter(edges.values(), np.int64), everybody).astype(np.int32)
    network = sparse.csr_array((limits, (starts, ends)), shape=(len(nodes), len(nodes)))
    flow = maximum_flow(network, nodes["start"], nodes["end"]).flow.tocoo()
    ahead = flow.data > 0
    used = set(zip(flow.row[ahead].tolist(), flow.col[ahead].tolist(), strict=True))
    return [
        j
        for j, (referral, site_id) in enumerate(pairs)
        if (nodes[(referral,)], nodes[levels[site_id, arm_of[referral]][CapLevel.SITE]]) in used
    ]


class _Program:
    """A linear program over pairs: each pair counts once in each of its rows, and a row has an upper limit.

    Parameters
    ----------
    limits
        Of the rows.
    row_lists
        For each pair the numbers of its rows.
    """

    def __init__(self, limits: Any, row_lists: Sequence[Sequence[int]]) -> None:
        import numpy as np
        from scipy import sparse

        starts = np.cumsum([0, *map(len, row_lists)])
        indices = np.concatenate([np.asarray(rows, np.intp) for rows in row_lists])
        shape = (len(limits), len(row_lists))
        self._limits = limits
        self._matrix = sparse.csc_array((np.ones(len(indices)), indices, starts), shape=shape)

    def optimum(self, cost: Any, active: set[int], count: int) -> Any:
        """Minimise the cost of an exact number of pairs.

        Parameters
        ----------
        cost
            Of each pair.
        active
            The pairs to begin with; they allow a choice of that number.
        count
            How many pairs to choose.

        Returns
        -------
        array of bool
            The chosen pairs.
        """
        import numpy as np
        from scipy.optimize import linprog

        while True:
            columns = np.array(sorted(active))
            found = linprog(
                cost[columns],
                A_ub=self._matrix[:, columns],
                b_ub=self._limits,
                A_eq=np.ones((1, len(columns))),
                b_eq=[count],
                bounds=(0, None),
                method="highs-ds",  # the simplex method ends in a corner, and all corners are whole numbers
                options={"dual_feasibility_tolerance": _TOLERANCE, "presolve": False},
            )
            if not found.success:
                raise RuntimeError(f"HiGHS found no allocation: {found.message}")
            gain = float(found.eqlin.marginals[0]) + self._matrix.T @ found.ineqlin.marginals - cost
            gain[columns] = 0.0
            better = np.flatnonzero(gain > _TOLERANCE * 10)
            if not len(better):
                chosen = np.zeros(len(cost), bool)
                chosen[columns] = found.x > 0.5
                return chosen
            active = active.union(better[np.argsort(-gain[better], kind="stable")[:_MOST_JOINING]].tolist())
