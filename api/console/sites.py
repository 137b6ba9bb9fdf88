"""A site's page: its spots and caps, its holds, its travel support, and its history."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console
from api.http.errors import problem_of
from api.http.reading import read_filters, read_form
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.occupancy import keys_for
from sitematch.domain.capacity.states import UNDER_WAY, SpotState
from sitematch.domain.studies.travel import MAX_REIMBURSEMENT, TravelCertainty, TravelKind, TravelSupport
from sitematch.errors import InvalidInput
from sitematch.exporters.wire.matches import Wire
from sitematch.services.capacity import coordinating, site_page

_SHOWN = 20
"""Number of referrals of each state on the site's page."""


class SitePageQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The page of the history."""

    study: str | None = None
    before: Annotated[int, Meta(ge=1)] | None = None
    done: Annotated[str, Meta(max_length=20)] = ""


class TravelForm(ConsoleForm, frozen=True, kw_only=True):
    """A site's travel support."""

    certainty: TravelCertainty
    kinds: tuple[TravelKind, ...] = ()
    time_reimbursement: str = ""


class OpeningForm(ConsoleForm, frozen=True, kw_only=True):
    """The day on which a site opened or will open; empty removes it."""

    opened_on: str = ""

    def day(self) -> date | None:
        """Return the day.

        Raises
        ------
        InvalidInput
            If it is not a date.
        """
        try:
            return date.fromisoformat(self.opened_on) if self.opened_on else None
        except ValueError:
            raise InvalidInput("Give the day as 2026-03-01.", field="opened_on") from None


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/sites/<site_id>", Permission.CAPACITY_READ)
    def site(site_id: str) -> Response:
        asked = read_filters(SitePageQuery)
        return _show(ConsoleContext(backend), site_id, before_seq=asked.before, done=asked.done)

    @console.page("POST", "/sites/<site_id>/travel", Permission.CATALOGUE_WRITE)
    def set_travel(site_id: str) -> Response:
        asked, context = read_form(TravelForm), ConsoleContext(backend)
        try:
            site_page.set_travel(
                context.store,
                context.caller,
                study_id=context.study_id,
                site_id=site_id,
                support=TravelSupport(certainty=asked.certainty, kinds=asked.kinds),
                time_reimbursement=asked.time_reimbursement,
                now=context.now,
            )
        except InvalidInput as error:
            return _show(context, site_id, typed=asked, fault=error.message, status=problem_of(error).status)
        return go("site", site_id=site_id, done="travel")

    @console.page("POST", "/sites/<site_id>/opening", Permission.CAPS_WRITE)
    def set_opening(site_id: str) -> Response:
        asked, context = read_form(OpeningForm), ConsoleContext(backend)
        try:
            site_page.set_opening(
                context.store,
                context.caller,
                study_id=context.study_id,
                site_id=site_id,
                opened_on=asked.day(),
                now=context.now,
            )
        except InvalidInput as error:
            return _show(context, site_id, fault=error.message, status=problem_of(error).status)
        return go("site", site_id=site_id, done="opening")


def _show(
    context: ConsoleContext,
    site_id: str,
    *,
    before_seq: int | None = None,
    done: str = "",
    typed: TravelForm | None = None,
    fault: str = "",
    status: int = 200,
) -> Response:
    study, site = site_page.read_site(context.store, context.actor, context.study_id, site_id)
    spots = next(
        item
        for item in coordinating.capacity(context.store, context.actor, context.study_id, context.now)
        if item.site_id == site_id
    )
    binding = frozenset(keys_for(site_id, site.country, None))
    caps = coordinating.caps(context.store, context.actor, context.study_id, context.now)
    under_way = coordinating.referrals(
        context.store,
        context.actor,
        context.study_id,
        context.now,
        site_id=site_id,
        states=UNDER_WAY,
        limit=_SHOWN,
    )
    by_state = coordinating.count_by_state(context.store, context.actor, context.study_id, site_id, context.now)
    trail = site_page.site_trail(context.store, context.actor, context.study_id, site, before_seq=before_seq)
    return page(
        "site.html",
        status=status,
        study=study,
        site=site,
        sites={site_id: site},
        spots=spots,
        caps=[usage for usage in caps if usage.key in binding],
        own_cap=next((usage for usage in caps if usage.key.scope == site_id), None),
        under_way=under_way,
        count_by_state={state: by_state[state] for state in SpotState if by_state[state]},
        trail=trail,
        is_first_page=before_seq is None,
        certainties=list(TravelCertainty),
        kinds=list(TravelKind),
        travel=typed
        or TravelForm(
            certainty=site.travel.certainty, kinds=site.travel.kinds, time_reimbursement=site.time_reimbursement
        ),
        max_reimbursement=MAX_REIMBURSEMENT,
        opening=site_page.recorded_opening(context.store, context.study_id, site_id, context.now),
        done=done,
        fault=fault,
    )
