"""Time zones by name, and dates and times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sitematch.errors import InvalidInput

_SHOWN = 64
_MICROSECOND = timedelta(microseconds=1)
_LAST_DAY = date(9999, 12, 29)
"""The end of any later one may be out of range in UTC."""


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone.

    Parameters
    ----------
    name
        Its IANA name; case matters.

    Raises
    ------
    InvalidInput
        If there is no time zone of that name.

    Examples
    --------
    >>> zone_named("Europe/Berlin").key
    'Europe/Berlin'
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, or the name of a folder
        raise InvalidInput(
            f"{name[:_SHOWN]!r} is not a time zone. Give an IANA name, e.g. UTC or Europe/Berlin.", field="time_zone"
        ) from None


def read_instant(text: str, zone: ZoneInfo, now: datetime, field: str = "as_of") -> datetime:
    """Read the time that a report describes.

    Parameters
    ----------
    text
        A date, which stands for its end (for today: for `now`), or a date and time in ISO 8601, with up to six
        decimals of a second. Without an offset it is a local time of the zone.
    zone
        Where a date or a local time is.
    now
        The instant (aware).
    field
        What errors call it.

    Returns
    -------
    datetime
        In UTC; the end of a day is its last microsecond.

    Raises
    ------
    InvalidInput
        If the text is neither, if it lies after `now`, or if a change of the clocks skips or repeats the local time.

    Examples
    --------
    >>> now = datetime(2026, 11, 1, tzinfo=UTC)
    >>> read_instant("2026-01-31", ZoneInfo("Europe/Berlin"), now).isoformat()
    '2026-01-31T22:59:59.999999+00:00'
    >>> read_instant("2026-01-31T12:00:00.25+01:00", ZoneInfo("UTC"), now).isoformat()
    '2026-01-31T11:00:00.250000+00:00'
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        found = _read_time(text, zone, field)
    else:
        # Adding wall-clock time before converting keeps days of 23 and 25 hours whole.
        last = datetime.combine(min(day, _LAST_DAY), time.min, zone) + timedelta(days=1)
        end = last.astimezone(UTC) - _MICROSECOND
        found = min(end, now) if day == now.astimezone(zone).date() else end
    if found > now:
        raise InvalidInput(f"{field} is in the future. Give a time in the past.", field=field)
    return found


def _read_time(text: str, zone: ZoneInfo, field: str) -> datetime:
    try:
        stated = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text[:_SHOWN]!r} is not a date or time. Write it like 2026-01-31, 2026-01-31T12:00 or "
            "2026-01-31T12:00:00+01:00.",
            field=field,
        ) from None
    try:
        if stated.tzinfo is not None:
            return stated.astimezone(UTC)
        earlier, later = (stated.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise InvalidInput(f"{text[:_SHOWN]!r} is out of range.", field=field) from None
    if earlier == later:
        return earlier
    if earlier.astimezone(zone).replace(tzinfo=None) != stated:
        raise InvalidInput(
            f"{text} does not exist in {zone.key}: the clocks were put forward. Give another time.", field=field
        )
    one, two = (instant.astimezone(zone).isoformat() for instant in (earlier, later))
    raise InvalidInput(
        f"{text} occurred twice in {zone.key}: the clocks were put back. Write {one} or {two}.", field=field
    )
