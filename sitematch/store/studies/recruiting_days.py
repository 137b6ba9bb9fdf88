"""The day of the first record that called each site recruiting, kept while the catalogue changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import TAKING_STATUSES
from sitematch.store.schema import site_recruiting


def note_recruiting(connection: sa.Connection, study_id: str, sites: Iterable[Site]) -> None:
    """Keep the day of the record for each site that recruits and was never called so before."""
    known = recruiting_days(connection, study_id)
    new = [
        {"study_id": study_id, "site_id": site.site_id, "recruiting_on": site.as_of_on}
        for site in sites
        if site.status in TAKING_STATUSES and site.site_id not in known
    ]
    if new:
        connection.execute(sa.insert(site_recruiting), new)


def forget_recruiting(connection: sa.Connection, sites: Iterable[Site], before: Iterable[Site]) -> None:
    """Forget the days that an undone import brought: of sites that recruit in `sites` and did not in `before`."""
    recruited = {site.site_id for site in before if site.status in TAKING_STATUSES}
    for site in sites:
        if site.status in TAKING_STATUSES and site.site_id not in recruited:
            connection.execute(
                sa.delete(site_recruiting).where(
                    site_recruiting.c.study_id == site.study_id,
                    site_recruiting.c.site_id == site.site_id,
                    site_recruiting.c.recruiting_on == site.as_of_on,
                )
            )


def recruiting_days(connection: sa.Connection, study_id: str) -> dict[str, date]:
    """Return the days by site_id; sites that no record called recruiting are missing."""
    rows = connection.execute(sa.select(site_recruiting).where(site_recruiting.c.study_id == study_id))
    return {row.site_id: row.recruiting_on for row in rows}
