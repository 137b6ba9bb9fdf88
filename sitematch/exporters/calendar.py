"""iCalendar (RFC 5545) of times when holds and offers lapse: by referral id, and nothing else about a person or a site.

Written here, because the few properties that are needed hold only ids and times: there is nothing to escape.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sitematch.domain.capacity.spot import Referral
from sitematch.domain.capacity.states import SpotState

CALENDAR_TYPE = "text/calendar"

_OCTETS_A_LINE = 75
_SUMMARIES = {SpotState.HELD: "Hold lapses", SpotState.OFFERED: "Offer lapses"}


def calendar_of(referrals: Iterable[Referral], *, name: str, address: str, now: datetime) -> bytes:
    """Write a calendar with one event for each hold or offer that can lapse.

    Parameters
    ----------
    referrals
        In any order; those that cannot lapse are left out.
    name
        What calendar programs call it, e.g. ``"NCT06064929"``: without commas, semicolons, backslashes and line breaks.
    address
        Start of the links to referrals, e.g. ``"https://trials.example.org/console/referrals/"``.
    now
        When it was written (aware).

    Examples
    --------
    >>> calendar_of((), name="NCT1", address="", now=datetime(2026, 1, 2, tzinfo=UTC)).split(b"\\r\\n")[0]
    b'BEGIN:VCALENDAR'
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//sitematch//console//EN", f"X-WR-CALNAME:{name}"]
    for item in referrals:
        if item.expires_at is None or item.state not in _SUMMARIES:
            continue
        at = _instant(item.expires_at)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{item.study_id}-{item.referral_id}@sitematch",
            f"DTSTAMP:{_instant(now)}",
            f"DTSTART:{at}",
            f"SUMMARY:{_SUMMARIES[item.state]}: {item.referral_id}",
            f"URL:{address}{item.referral_id}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> bytes:
    """Return a line with its end, broken so that no part is longer than 75 octets; ids and addresses are ASCII."""
    text = line.encode("ascii", "replace")
    parts = [text[:_OCTETS_A_LINE]]
    rest = text[_OCTETS_A_LINE:]
    while rest:
        parts.append(b" " + rest[: _OCTETS_A_LINE - 1])
        rest = rest[_OCTETS_A_LINE - 1 :]
    return b"\r\n".join(parts) + b"\r\n"
