"""Time zones by name."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sitematch.errors import InvalidInput

_SHOWN = 64


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
