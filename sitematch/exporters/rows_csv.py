"""Answers as CSV for spreadsheets: flat rows, safe to open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from sitematch.exporters.wire import DistanceAnswer, ExclusionAnswer, MatchAnswer, MatchesAnswer, SiteAnswer

_SITE = (
    "site_id",
    "facility",
    "city",
    "state",
    "postcode",
    "country",
    "latitude",
    "longitude",
    "precision",
    "uncertainty_km",
    "status",
    "travel_certainty",
    "stand_in",
    "as_of",
)
_MATCH = (
    "outcome",
    "rank",
    "band",
    "distance_km",
    "distance_uncertainty_km",
    "direction",
    "remaining",
    "drawn_from",
)
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | bool | None


def matches_csv(answer: MatchesAnswer) -> str:
    """Write matches, then left-out sites (outcome ``match`` or ``excluded``), one row a site.

    Parameters
    ----------
    answer
        The answer to one look-up. The person's own place is not in the file.
    """
    rows: list[Sequence[Cell]] = []
    for match in answer.matches:
        remaining = (match.remaining.count, match.remaining.drawn_from)
        rows.append(("match", match.rank, match.band, *_distance(match.distance), *remaining, *_tail(match)))
    for exclusion in answer.excluded:
        rows.append(("excluded", None, None, *_distance(exclusion.distance), None, None, *_tail(exclusion)))
    return write_csv((*_MATCH, *_SITE, "reasons", "notice"), [(*row, answer.study.notice) for row in rows])


def sites_csv(sites: Iterable[SiteAnswer]) -> str:
    """Write sites, one row each, in the order given."""
    return write_csv(_SITE, [_site(site) for site in sites])


def _tail(item: MatchAnswer | ExclusionAnswer) -> tuple[Cell, ...]:
    return (*_site(item.site), " ".join(reason.text for reason in item.reasons))


def _site(site: SiteAnswer) -> tuple[Cell, ...]:
    where = site.location
    location: tuple[Cell, ...] = (
        (None, None, None, None)
        if where is None
        else (where.latitude, where.longitude, where.precision, where.uncertainty_km)
    )
    return (
        site.site_id,
        site.facility,
        site.city,
        site.state,
        site.postcode,
        site.country,
        *location,
        site.status,
        site.travel.certainty,
        site.stand_in,
        site.as_of.isoformat(),
    )


def _distance(distance: DistanceAnswer | None) -> tuple[Cell, Cell, Cell]:
    if distance is None:
        return (None, None, None)
    return (distance.km, distance.uncertainty_km, distance.direction)


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Write a header and rows; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: Cell) -> Cell:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_STARTS_A_FORMULA) else cell
