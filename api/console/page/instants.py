"""Times in the console: in UTC, which a script converts to the reader's time zone, and as relative texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from babel.dates import format_timedelta
from flask_babel import format_datetime, gettext

from api.console.page.routes import Console
from api.pages.languages import current_language


def iso(at: datetime) -> str:
    """Format a time for machines: ``"2026-01-02T12:30:00Z"``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain_instant(at: datetime) -> str:
    """Format a time for people anywhere: with its time zone, UTC."""
    return f"{format_datetime(at.astimezone(UTC), 'medium', rebase=False)} UTC"


def relative_to(at: datetime, now: datetime) -> str:
    """Return a relative time: ``"in 2 days"``, ``"3 hours ago"``."""
    if abs(at - now) < timedelta(seconds=1):
        return str(gettext("now"))
    # A unit is used up to twice its length; otherwise 47 hours would be shown as 2 days.
    text: str = format_timedelta(at - now, add_direction=True, threshold=2.0, locale=current_language().locale)
    return text


def duration(length: timedelta) -> str:
    """Format a length of time: ``"48 hours"``, ``"7 days"``."""
    text: str = format_timedelta(length, threshold=3.0, locale=current_language().locale)
    return text


def hours_text(hours: float) -> str:
    """Format a number of hours: ``"24 hours"``."""
    return duration(timedelta(hours=hours))


def register(console: Console) -> None:
    """Add these filters to templates."""
    for form in (iso, plain_instant, relative_to, duration, hours_text):
        console.add_app_template_filter(form)
