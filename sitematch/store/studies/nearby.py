"""Sites of many studies by location: only the sites in given cells of the globe are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from sitematch.domain.grid_cells import NOWHERE
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.store import schema
from sitematch.store.engine import in_batches
from sitematch.store.studies.rows import site_of, study_of

FEW_STUDIES, FEW_SITES = 500, 20_000
"""Up to this many studies and sites, the locations of the sites are read first, and then only their cells."""

_MANY_CELLS = 500
_SITE = schema.site.c


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConditions:
    """The conditions for sites.

    Parameters
    ----------
    study_ids
        Only sites of these studies.
    statuses
        With one of these.
    country
        In this country; None for every country.
    travel
        With one of these; None for all.
    """

    study_ids: frozenset[str]
    statuses: Collection[RecruitmentStatus]
    country: str | None = None
    travel: Collection[TravelCertainty] | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions for a row of `site`, without the study if there are many."""
        yield _SITE.status.in_([status.value for status in self.statuses])
        if self.country is not None:
            yield _SITE.country == self.country
        if self.travel is not None:
            yield _SITE.travel_certainty.in_([certainty.value for certainty in self.travel])
        if len(self.study_ids) <= FEW_STUDIES:
            yield _SITE.study_id.in_(sorted(self.study_ids))


class OccupiedCells:
    """Finds the cells that contain a site.

    Parameters
    ----------
    connection
        Inside a read transaction that lasts as long as this is used.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def among(self, cells: Sequence[int]) -> Sequence[int]:
        """Leave out empty cells if there are many cells, because far away most of them are sea."""
        return cells if len(cells) <= _MANY_CELLS else [cell for cell in cells if cell in self._all]

    @cached_property
    def _all(self) -> frozenset[int]:
        # The index is queried for the next one again and again.
        first = sa.select(sa.func.min(_SITE.cell).label("cell")).where(_SITE.cell > NOWHERE)
        walk = first.cte("occupied", recursive=True)
        following = sa.select(sa.func.min(_SITE.cell)).where(_SITE.cell > walk.c.cell).scalar_subquery()
        walk = walk.union_all(sa.select(following).where(walk.c.cell.is_not(None)))
        return frozenset(self._connection.execute(sa.select(walk.c.cell)).scalars())


class ClinicsInCells:
    """Finds the clinics (by number) of the wanted sites in given cells.

    Parameters
    ----------
    connection
        Inside a read transaction that lasts as long as this is used.
    wanted
        The conditions for sites.
    """

    def __init__(self, connection: sa.Connection, wanted: SiteConditions) -> None:
        self._connection = connection
        self._wanted = wanted
        self._conditions = tuple(wanted.conditions())
        self._cells = OccupiedCells(connection)
        self._known = self._read_few() if len(wanted.study_ids) <= FEW_STUDIES else None

    def clinics_in(self, cells: Sequence[int]) -> set[int]:
        """Return the numbers of the clinics with a wanted site in one of the given cells."""
        if self._known is not None:
            return {clinic for cell in cells for clinic in self._known.get(cell, ())}
        found: set[int] = set()
        for part in in_batches(self._cells.among(cells)):
            query = sa.select(_SITE.study_id, _SITE.clinic).where(_SITE.cell.in_(part), *self._conditions)
            rows = self._connection.execute(query)
            found.update(clinic for study_id, clinic in rows if study_id in self._wanted.study_ids)
        return found

    def unplaced(self) -> Iterator[int]:
        """Yield the numbers of the clinics with a wanted site without a location, each once, in order.

        The order is that of the first such site, by study_id and site_id.
        """
        if self._known is not None and NOWHERE not in self._known:
            return
        query = (
            sa.select(_SITE.study_id, _SITE.clinic)
            .where(_SITE.cell == NOWHERE, *self._conditions)
            .order_by(_SITE.study_id, _SITE.site_id)
        )
        told: set[int] = set()
        with self._connection.execute(query.execution_options(yield_per=1_000)) as rows:
            for study_id, clinic in rows:
                if clinic not in told and study_id in self._wanted.study_ids:
                    told.add(clinic)
                    yield clinic

    def sites_of(self, clinics: Iterable[int]) -> list[Site]:
        """Return all wanted sites of some clinics, in any cell and in no order."""
        found: list[Site] = []
        for part in in_batches(sorted(clinics)):
            rows = self._connection.execute(sa.select(schema.site).where(_SITE.clinic.in_(part), *self._conditions))
            found += [site_of(row) for row in rows if row.study_id in self._wanted.study_ids]
        return found

    def studies(self, study_ids: Iterable[str]) -> dict[str, Study]:
        """Return studies by their ids."""
        found: dict[str, Study] = {}
        for part in in_batches(sorted(study_ids)):
            rows = self._connection.execute(sa.select(schema.study).where(schema.study.c.study_id.in_(part)))
            found |= {row.study_id: study_of(row) for row in rows}
        return found

    def _read_few(self) -> dict[int, set[int]] | None:
        """Return the clinics of each cell; None if there are too many sites."""
        by_cell: dict[int, set[int]] = defaultdict(set)
        query = sa.select(_SITE.cell, _SITE.clinic).where(*self._conditions).limit(FEW_SITES + 1)
        rows = self._connection.execute(query).all()
        for cell, clinic in rows:
            by_cell[cell].add(clinic)
        return dict(by_cell) if len(rows) <= FEW_SITES else None
