"""How the console writes instants: in UTC, for a script to put into the reader's zone, and how far off in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from babel.dates import format_timedelta
from flask_babel import format_datetime, gettext

from api.console.page.routes import Console
from api.pages.languages import current_language


def iso(at: datetime) -> str:
    """Write an instant for machines: ``"2026-01-02T12:30:00Z"``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain_instant(at: datetime) -> str:
    """Write an instant for people who may be anywhere: with its zone, UTC."""
    return f"{format_datetime(at.astimezone(UTC), 'medium', rebase=False)} UTC"


def relative_to(at: datetime, now: datetime) -> str:
    """Say how far off an instant is: ``"in 2 days"``, ``"3 hours ago"``."""
    if abs(at - now) < timedelta(seconds=1):
        return str(gettext("now"))
    # Whole units are kept up to their double, or 47 hours would read as 2 days.
    text: str = format_timedelta(at - now, add_direction=True, threshold=2.0, locale=current_language().locale)
    return text


def duration(length: timedelta) -> str:
    """Write a length of time: ``"48 hours"``, ``"7 days"``."""
    text: str = format_timedelta(length, threshold=3.0, locale=current_language().locale)
    return text


def register(console: Console) -> None:
    """Give templates these filters."""
    for form in (iso, plain_instant, relative_to, duration):
        console.add_app_template_filter(form)
