"""A calendar of what lapses, at a secret address, and the form that makes or ends the address."""

from __future__ import annotations

from itertools import islice

from flask import Response, url_for

from api.backend import Backend
from api.console.page import session
from api.console.page.context import ConsoleContext, page
from api.console.page.routes import Console, PageAccess
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralSort
from sitematch.exporters.calendar import CALENDAR_TYPE, calendar_of
from sitematch.services.accounts import calendars
from sitematch.services.capacity import referral_lists

MOST = 1_000
"""The most events of a calendar, those that come first."""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/calendar", Permission.REFERRALS_READ)
    def calendar() -> Response:
        return _show(ConsoleContext(backend))

    @console.page("POST", "/calendar", Permission.REFERRALS_READ)
    def make_calendar() -> Response:
        context = ConsoleContext(backend)
        code = calendars.make(context.store, session.current(), context.study_id)
        return _show(context, url_for("console.calendar_file", code=code, study=None, _external=True))

    @console.page("POST", "/calendar/end", Permission.REFERRALS_READ)
    def end_calendar() -> Response:
        context = ConsoleContext(backend)
        calendars.end(context.store, session.current(), context.study_id)
        return _show(context)

    @console.page("GET", "/calendar/<code>.ics", PageAccess.PUBLIC)
    def calendar_file(code: str) -> Response:
        store, now = backend.store(), backend.now()
        actor, study_id = calendars.reader(store, code)
        rows = referral_lists.find_all(store, actor, study_id, now, ReferralFilter(sort=ReferralSort.LAPSES))
        address = url_for("console.referrals", study=None, _external=True) + "/"
        written = calendar_of(islice(rows, MOST), name=study_id, address=address, now=now)
        return Response(written, content_type=f"{CALENDAR_TYPE}; charset=utf-8")


def _show(context: ConsoleContext, address: str = "") -> Response:
    return page(
        "calendar.html",
        address=address,
        exists=calendars.exists(context.store, session.current(), context.study_id),
    )
