"""Conversion of a request, from the command line or over HTTP, to the policy of a match."""

from __future__ import annotations

from collections.abc import Collection

from sitematch.domain.finding.policy import MatchPolicy, Order
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty
from sitematch.domain.units import KM_PER_MILE, Unit
from sitematch.errors import InvalidPolicy, UnknownCountry
from sitematch.gazetteer.grammar import parse_country


def match_policy(
    *,
    order: Order = Order.BEST,
    limit: int = 5,
    within_km: float | None = None,
    within_miles: float | None = None,
    max_minutes: float | None = None,
    min_travel: TravelCertainty | None = None,
    min_spots: int | None = None,
    only_country: str | None = None,
    prefer_country: str | None = None,
    status: Collection[RecruitmentStatus] | None = None,
    unit: Unit | None = None,
) -> MatchPolicy:
    """Return the policy for a request.

    Parameters
    ----------
    order, limit, within_km, max_minutes, min_travel, min_spots, unit
        See `MatchPolicy`.
    within_miles
        The radius in international miles, in place of `within_km`.
    only_country, prefer_country
        Names or ISO 3166-1 codes.
    status
        Statuses that count as open; None for the policy's default.

    Raises
    ------
    InvalidPolicy
        If the radius is given twice, or a value is out of its range; `.field` names the parameter.
    UnknownCountry
        If a country is not known; `.field` names the parameter.
    """
    if within_km is not None and within_miles is not None:
        raise InvalidPolicy("Give the radius in kilometres or miles, not both.", field="within_miles")
    try:
        return MatchPolicy(
            order=order,
            limit=limit,
            within_km=within_km if within_miles is None else within_miles * KM_PER_MILE,
            max_minutes=max_minutes,
            min_travel=min_travel,
            min_spots=min_spots,
            country=country_code(only_country, "only_country"),
            prefer_country=country_code(prefer_country, "prefer_country"),
            statuses=MatchPolicy().statuses if status is None else frozenset(status),
            unit=unit,
        )
    except InvalidPolicy as error:
        if within_miles is not None and error.field == "within_km":
            raise InvalidPolicy(error.message, field="within_miles") from None
        raise


def country_code(text: str | None, field: str) -> str | None:
    """Return a country's ISO 3166-1 alpha-2 code; None without a country.

    Raises
    ------
    UnknownCountry
        If the country is not known; `.field` is `field`.
    """
    if text is None:
        return None
    try:
        return parse_country(text)
    except UnknownCountry as error:
        raise UnknownCountry(error.message, field=field) from None
