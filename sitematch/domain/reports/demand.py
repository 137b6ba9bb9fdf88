"""Where look-ups come from, so coarsely that nobody can be identified: regions of many thousand people, in batches.

A look-up is counted only by region (docs/adr/0092), and numbers are stored and shown only in whole batches of `BATCH`
look-ups (docs/adr/0093).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

BATCH = 11
"""Number of look-ups of one region that are stored together, never fewer: no stored number describes ten or less."""

SMALL_ZIP3 = frozenset(
    [
        "036",
        "059",
        "063",
        "102",
        "203",
        "556",
        "692",
        "790",
        "821",
        "823",
        "830",
        "831",
        "878",
        "879",
        "884",
        "890",
        "893",
    ]
)
"""US three-digit ZIP areas of 20,000 people or fewer at the Census of 2000, which 45 CFR 164.514(b)(2)(i)(B) requires
to be changed to 000. Source: the US Department of Health and Human Services' guidance on de-identification of
2012-11-26, which lists these seventeen. A newer Census changes the list."""

SMALL = "000"
"""The region that all such areas are counted as."""

_SMALL_COUNTRIES = frozenset(
    "AI AQ BL BV CC CK CX FK GS HM IO MS NF NR NU PM PN PW SH SJ TF TK TV UM VA WF".split()  # noqa: SIM905
)
"""Countries and territories of about 20,000 people or fewer, by common knowledge, including those near the limit."""

_LEADING: Mapping[str, int] = {
    "US": 3,
    **dict.fromkeys(("BR", "CN", "DE", "ES", "FR", "IN", "IT", "JP", "KR", "MX", "PL", "TR"), 2),
    **dict.fromkeys(
        ("AT", "AU", "BE", "CA", "CH", "CZ", "DK", "FI", "HU", "NL", "NO", "NZ", "PT", "RO", "SE", "ZA"), 1
    ),
}
"""Number of leading characters of a postcode that form a region, by country: only if every such area has far more than
20,000 people. Countries that are not listed are counted as a whole."""

_SMALL_BRITISH = frozenset(("BF", "EC", "HS", "KW", "LD", "TD", "WC", "ZE"))
"""British postcode areas that are small, or do not describe a place (BF: the forces)."""

_BRITISH_AREA = re.compile(r"([A-Z]{1,2})(?:[0-9]|$)")


def region_of(country: str, postcode: str | None) -> str:
    """Return the region for counting a look-up.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2; empty if unknown.
    postcode
        In normal form, or a leading part of one; None for a town.

    Returns
    -------
    str
        ``"US-331"``, ``"DE-10"``, ``"GB-SW"``; only the country if no finer region is safe or known; empty without a
        country. Small areas of a country are one region, e.g. ``"US-000"``, and so are small countries: ``"000"``.

    Examples
    --------
    >>> region_of("US", "33180"), region_of("US", "03601"), region_of("EE", "10117"), region_of("DE", None)
    ('US-331', 'US-000', 'EE', 'DE')
    """
    if country in _SMALL_COUNTRIES:
        return SMALL
    code = re.sub(r"[^0-9A-Z]", "", (postcode or "").upper())
    if country == "GB":
        found = _BRITISH_AREA.match(code)
        area = found[1] if found else ""
        is_small = area in _SMALL_BRITISH
    else:
        length = _LEADING.get(country, 0)
        area = code[:length] if len(code) >= length else ""
        is_small = country == "US" and area in SMALL_ZIP3
    if not area:
        return country
    return f"{country}-{SMALL if is_small else area}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandCell:
    """The look-ups of one region that were stored in one month.

    Parameters
    ----------
    month
        ``"2026-01"``, UTC.
    region
        See `region_of`.
    lookups
        A multiple of `BATCH`.
    """

    month: str
    region: str
    lookups: int


def month_of(instant: datetime) -> str:
    """Return the month of a time in UTC.

    Examples
    --------
    >>> from datetime import UTC
    >>> month_of(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    '2026-01'
    """
    return f"{instant.astimezone(UTC):%Y-%m}"


def months_before(month: str, count: int) -> tuple[str, ...]:
    """Return the months before one, the earliest first.

    Examples
    --------
    >>> months_before("2026-02", 3)
    ('2025-11', '2025-12', '2026-01')
    """
    year, number = map(int, month.split("-"))
    last = year * 12 + number - 1
    return tuple(f"{at // 12:04}-{at % 12 + 1:02}" for at in range(last - count, last))


def publishable(cells: Iterable[DemandCell], threshold: int) -> tuple[DemandCell, ...]:
    """Return the cells that may be shown; totals may contain only these.

    Parameters
    ----------
    cells
        Cells of completed months, to which nothing is added any more.
    threshold
        The smallest number of look-ups of a region in a month that is shown, at least `BATCH`.

    Notes
    -----
    Hidden cells are in no total either, so nobody can find them by subtraction. Each cell is judged by itself, so
    neither the requested months nor another report reveal more about it.
    """
    return tuple(cell for cell in cells if cell.lookups >= threshold)
