"""Taking a spot: a postcode, the ranked sites, a hold. The patient's location is used only for the answer.

A postcode is sent by POST and is not passed on: the forms of the answer contain only site ids.
"""

from __future__ import annotations

import math
from typing import Annotated

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console
from api.http.errors import problem_of
from api.http.reading import read_form, spoken_languages
from api.pages.languages import current_language
from api.pages.languages import gettext as _
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.spot import MAX_WAITING_SITES
from sitematch.domain.finding.policy import MAX_RADIUS_KM
from sitematch.domain.finding.wording import explain
from sitematch.domain.units import KM_PER_MILE, Unit
from sitematch.errors import CapacityError, InvalidInput, SitematchError
from sitematch.exporters.wire.matches import distance_answer, place_answer
from sitematch.gazetteer.grammar import COUNTRIES
from sitematch.services.capacity import coordinating
from sitematch.services.finding.site_choice import RANKED, SiteChoices, choices_among, rank_choices
from sitematch.services.studies import catalogue

_COUNTRIES = sorted((country.name, country.alpha_2) for country in COUNTRIES.values())
_Ids = Annotated[tuple[str, ...], Meta(max_length=MAX_WAITING_SITES)]
_Id = Annotated[str, Meta(max_length=200)]


class PlaceForm(ConsoleForm, frozen=True, kw_only=True):
    """Where the patient lives, and the maximum distance."""

    country: Annotated[str, Meta(max_length=2)] = ""
    place: Annotated[str, Meta(max_length=100)] = ""
    within: Annotated[str, Meta(max_length=10)] = ""
    unit: Unit = Unit.KM
    referral_id: _Id = ""
    arm: _Id = ""


class HoldForm(ConsoleForm, frozen=True, kw_only=True):
    """A spot to hold, and the next sites if it is taken."""

    site_id: _Id = ""
    ranked: _Ids = ()
    near: _Ids = ()
    referral_id: _Id = ""
    arm: _Id = ""


class WaitForm(ConsoleForm, frozen=True, kw_only=True):
    """A referral that waits for a spot at one of several sites."""

    site_ids: _Ids = ()
    near: _Ids = ()
    referral_id: _Id = ""
    arm: _Id = ""
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/hold", Permission.REFERRALS_WRITE)
    def hold() -> Response:
        return _ask(ConsoleContext(backend), PlaceForm())

    @console.page("POST", "/hold", Permission.REFERRALS_WRITE)
    def rank_sites() -> Response:
        asked, context = PlaceForm(), ConsoleContext(backend)
        try:
            asked = read_form(PlaceForm)
            found = _rank(context, asked)
        except SitematchError as error:
            fault = problem_of(error)
            if fault.status >= 500:
                raise
            return _ask(context, asked, fault=fault, status=fault.status)
        return _ask(
            context,
            asked,
            found=found,
            place=place_answer(found.place, found.unit),
            distance=lambda choice: distance_answer(choice.distance, found.unit),
            explain=lambda reason: explain(reason, found.unit),
        )

    @console.page("POST", "/hold/spot", Permission.REFERRALS_WRITE)
    def hold_spot() -> Response:
        asked, context = read_form(HoldForm), ConsoleContext(backend)
        try:
            held = coordinating.hold(
                context.store,
                context.caller,
                study_id=context.study_id,
                site_id=asked.site_id,
                referral_id=asked.referral_id.strip() or None,
                arm=asked.arm.strip() or None,
                now=context.now,
            )
        except (CapacityError, InvalidInput) as error:
            # Somebody else took the spot, or the id is in use: show the other sites, and keep what was typed.
            return _refused(context, error, asked.site_id, (asked.site_id, *asked.ranked), asked)
        return go("referral", referral_id=held.referral_id, done="held")

    @console.page("POST", "/waiting", Permission.WAITING_LIST_WRITE)
    def join_waiting_list() -> Response:
        asked, context = read_form(WaitForm), ConsoleContext(backend)
        try:
            joined = coordinating.join_waiting_list(
                context.store,
                context.caller,
                study_id=context.study_id,
                site_ids=asked.site_ids,
                referral_id=asked.referral_id.strip() or None,
                arm=asked.arm.strip() or None,
                priority=asked.priority,
                now=context.now,
            )
        except (CapacityError, InvalidInput) as error:
            return _refused(context, error, "", asked.site_ids[:RANKED], asked)
        return go("referral", referral_id=joined.referral_id, done="waiting")


def _ask(context: ConsoleContext, asked: PlaceForm, *, status: int = 200, **values: object) -> Response:
    return page(
        "hold.html",
        status=status,
        study=catalogue.read_study(context.store, context.study_id),
        policy=coordinating.policy(context.store, context.actor, context.study_id),
        asked=asked,
        countries=_COUNTRIES,
        **values,
    )


def _rank(context: ConsoleContext, asked: PlaceForm) -> SiteChoices:
    return rank_choices(
        context.store,
        context.backend.finder().gazetteer,
        context.actor,
        context.study_id,
        asked.place,
        asked.country or None,
        context.now,
        within_km=_km(asked.within, asked.unit),
        languages=(*spoken_languages(), current_language().tag),
    )


def _km(text: str, unit: Unit) -> float | None:
    """Parse a distance, and return it in kilometres; empty means none."""
    if not text.strip():
        return None
    try:
        distance = float(text.strip().replace(",", "."))
    except ValueError:
        distance = math.nan
    if not 0 < distance <= MAX_RADIUS_KM:
        raise InvalidInput(_("The maximum distance must be a number greater than 0, e.g. 150."), field="within")
    return distance * KM_PER_MILE if unit is Unit.MILES else distance


def _refused(
    context: ConsoleContext, error: SitematchError, wanted: str, ranked: tuple[str, ...], asked: HoldForm | WaitForm
) -> Response:
    """Show why there is no spot, with alternatives and everything that was typed."""
    fault = problem_of(error)
    chosen = asked.near or ranked
    return page(
        "refused.html",
        status=fault.status,
        fault=fault,
        error=type(error).__name__,
        wanted=wanted,
        ranked=choices_among(context.store, context.actor, context.study_id, ranked[: RANKED + 1], context.now),
        near=choices_among(context.store, context.actor, context.study_id, chosen, context.now),
        ticked=asked.site_ids if isinstance(asked, WaitForm) else chosen,
        asked=asked,
        policy=coordinating.policy(context.store, context.actor, context.study_id),
    )
