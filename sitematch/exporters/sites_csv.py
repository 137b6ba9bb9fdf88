"""``sites.csv``, as `sitematch.importers.sites_csv` reads it back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from sitematch.domain.cells import LIST_SEPARATOR
from sitematch.domain.site import SITE_COLUMNS, Site


def write_sites(sites: Iterable[Site]) -> str:
    """Write sites in the catalogue's own form.

    Parameters
    ----------
    sites
        In the order to keep.

    Returns
    -------
    str
        CSV with a header, ``\\n`` line ends, coordinates to 1e-5 degree (a metre) and uncertainties to a metre.
        The same sites give the same text. Reading it back gives the same sites, but for a place's notes.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(SITE_COLUMNS)
    writer.writerows(_cells(site) for site in sites)
    return out.getvalue()


def _cells(site: Site) -> tuple[str, ...]:
    place = site.place
    location = (
        ("", "", "", "", "")
        if place is None
        else (
            f"{place.coordinates.latitude:.5f}",
            f"{place.coordinates.longitude:.5f}",
            place.precision.value,
            f"{place.uncertainty_km:.3f}",
            place.source,
        )
    )
    return (
        site.site_id,
        site.study_id,
        site.source_study,
        site.facility,
        site.city,
        site.state,
        site.postcode,
        site.country,
        *location,
        site.status.value,
        site.travel.certainty.value,
        LIST_SEPARATOR.join(site.travel.kinds),
        site.time_reimbursement,
        "" if site.spots is None else str(site.spots),
        site.as_of_on.isoformat(),
        LIST_SEPARATOR.join(site.flags),
    )
