"""Times in the database: whole microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sitematch.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return a time in microseconds since the epoch.

    Raises
    ------
    InvalidInput
        If it has no time zone and is therefore ambiguous.

    Examples
    --------
    >>> to_us(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    if instant.tzinfo is None:
        raise InvalidInput("A date and time needs a time zone.", field="now")
    return (instant - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the time in UTC; `to_us` is the inverse."""
    return _EPOCH + microseconds * _MICROSECOND
