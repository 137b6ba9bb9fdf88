"""The way in plain English words; other languages render the same values."""

from __future__ import annotations

from sitematch.domain.journey.estimate import Journey, Method, Way
from sitematch.domain.units import Unit, format_distance


def round_minutes(minutes: float) -> int:
    """Round minutes as people say them: to 1 under ten, to 5 under three hours, to 15 under ten, to 30 above.

    Examples
    --------
    >>> [round_minutes(minutes) for minutes in (0.2, 7.4, 58.0, 83.0, 220.0, 700.0)]
    [1, 7, 60, 85, 225, 690]
    """
    if minutes < 9.5:
        return max(1, round(minutes))
    step = 5 if minutes < 180 else 15 if minutes < 600 else 30
    return step * round(minutes / step)


def format_minutes(minutes: float) -> str:
    """Write a time as people say it.

    Examples
    --------
    >>> format_minutes(42.0), format_minutes(61.0), format_minutes(83.0)
    ('40 min', '1 h', '1 h 25 min')
    """
    hours, rest = divmod(round_minutes(minutes), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def describe_journey(journey: Journey, unit: Unit) -> str:
    """Say how long the way is, with the bounds that hold in 90 of 100 cases.

    Examples
    --------
    >>> from sitematch.domain.journey.estimate import Interval
    >>> minutes, km = Interval(83, 75, 92, 62, 107), Interval(101, 98, 108, 93, 122)
    >>> describe_journey(Journey(way=Way.ROAD, minutes=minutes, road_km=km, method=Method.MODEL), Unit.KM)
    'about 1 h 25 min by car (1 h to 1 h 45 min), 101 km by road'
    """
    if journey.minutes is None or journey.road_km is None:
        return "across the sea: ferry or flight"
    low, best, high = (
        format_minutes(minutes) for minutes in (journey.minutes.low_90, journey.minutes.best, journey.minutes.high_90)
    )
    bounds = f" ({low} to {high})" if low != high else ""
    instead = ", estimated without the router" if journey.method is Method.MODEL_INSTEAD else ""
    flight = ", or a flight" if journey.way is Way.ROAD_OR_FLIGHT else ""
    return f"about {best} by car{bounds}{flight}, {format_distance(journey.road_km.best, unit)} by road{instead}"
