"""A referral's page: its state, the possible actions, and its history."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.labels import action_label
from api.console.page.routes import Console
from api.http.errors import problem_of
from api.http.reading import read_filters, read_form
from api.pages.languages import gettext as _
from sitematch.domain.accounts.access import Permission
from sitematch.domain.capacity.spot import Referral
from sitematch.domain.capacity.states import ACTIONS, ASKED_FIRST, MOVES, Action, Needs, SpotState
from sitematch.domain.studies.site import Site
from sitematch.errors import CapacityError, IllegalTransition, InvalidInput, ReferralNotFound
from sitematch.exporters.wire.matches import Wire
from sitematch.services.capacity import coordinating, site_page
from sitematch.services.studies import catalogue


class MoveForm(ConsoleForm, frozen=True, kw_only=True):
    """An action on a referral."""

    action: Action
    reason: str = ""
    hours: Annotated[float, Meta(gt=0, le=8760)] | None = None
    site_id: Annotated[str, Meta(max_length=200)] = ""
    back: Literal["", "today"] = ""


class ReferralQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The action that was just done, for the message at the top."""

    study: str | None = None
    done: Annotated[str, Meta(max_length=20)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/referrals/<referral_id>", Permission.REFERRALS_READ)
    def referral(referral_id: str) -> Response:
        asked = read_filters(ReferralQuery)
        return _show(ConsoleContext(backend), referral_id, done=asked.done)

    @console.page("GET", "/referrals/<referral_id>/<action>", Permission.REFERRALS_WRITE)
    def confirm_move(referral_id: str, action: str) -> Response:
        context = ConsoleContext(backend)
        found = coordinating.referral(context.store, context.actor, referral_id, context.now)
        wanted = Action(action) if action in ASKED_FIRST else None
        if wanted is None or wanted not in found.allowed:
            return _show(
                context,
                referral_id,
                fault=_("This is not possible now. The current state of the referral is below."),
                status=409,
            )
        return _confirm(context, found, wanted)

    @console.page("POST", "/referrals/<referral_id>/moves", Permission.REFERRALS_WRITE)
    def move(referral_id: str) -> Response:
        asked, context = read_form(MoveForm), ConsoleContext(backend)
        if asked.action not in MOVES:
            raise InvalidInput(_("Use the page Take a spot for this."), field="action")
        try:
            coordinating.move(
                context.store,
                context.caller,
                action=asked.action,
                referral_id=referral_id,
                reason=asked.reason or None,
                hours=asked.hours,
                site_id=asked.site_id or None,
                now=context.now,
            )
        except InvalidInput as error:
            found = coordinating.referral(context.store, context.actor, referral_id, context.now)
            fault = {"reason": _("Choose a reason."), "site_id": _("Choose another site.")}.get(error.field or "")
            return _confirm(context, found, asked.action, fault=fault or error.message, status=400)
        except IllegalTransition:
            # The state has changed meanwhile: say so, and show the possible actions.
            fault = _(
                "Nothing was changed, because the referral changed or expired in the meantime. See its state below."
            )
            return _show(context, referral_id, fault=fault, status=409)
        except CapacityError as error:
            return _show(context, referral_id, fault=problem_of(error).detail, status=409)
        if asked.back == "today":
            return go("today_page", done=asked.action.value, id=referral_id)
        if _is_out_of_sight(context, referral_id):
            return go("waiting_list", done=asked.action.value)
        return go("referral", referral_id=referral_id, done=asked.action.value)


def _is_out_of_sight(context: ConsoleContext, referral_id: str) -> bool:
    """Return whether a referral that left the waiting list has no site now, so that no site coordinator can see it."""
    try:
        coordinating.referral(context.store, context.actor, referral_id, context.now)
    except ReferralNotFound:
        return True
    return False


def _show(context: ConsoleContext, referral_id: str, *, done: str = "", fault: str = "", status: int = 200) -> Response:
    found = coordinating.referral(context.store, context.actor, referral_id, context.now)
    entry = None
    place = None
    if found.state is SpotState.WAITING:
        entries = coordinating.waiting_list(context.store, context.actor, found.study_id)
        place, entry = next(
            ((i, item) for i, item in enumerate(entries, start=1) if item.referral_id == referral_id), (None, None)
        )
    events = coordinating.history(context.store, context.actor, referral_id, context.now)
    may_move = coordinating.may_change(context.actor, found, () if entry is None else entry.site_ids)
    return page(
        "referral.html",
        status=status,
        referral=found,
        entry=entry,
        place=place,
        sites={site.site_id: site for site in catalogue.read_sites(context.store, found.study_id)},
        policy=coordinating.policy(context.store, context.actor, found.study_id),
        moves=[action for action in MOVES if action in found.allowed] if may_move else [],
        may_move=may_move,
        confirmed=ASKED_FIRST,
        called=action_label,
        hours=extensions(context, found) if may_move else (),
        events=events[::-1],
        names=site_page.name_actors(context.store, events),
        done=done,
        fault=fault,
    )


def extensions(context: ConsoleContext, found: Referral) -> tuple[float, ...]:
    """Return the extensions to choose from, in hours; none if a hold cannot be extended."""
    policy = coordinating.policy(context.store, context.actor, found.study_id)
    if Action.EXTEND_HOLD not in found.allowed:
        return ()
    lengths = (timedelta(hours=24), policy.hold, timedelta(days=7))
    return tuple(sorted({length / timedelta(hours=1) for length in lengths if length <= policy.extension}))


def targets(context: ConsoleContext, found: Referral | None = None) -> tuple[tuple[Site, int | None], ...]:
    """Return the open sites that a referral can be moved to, or any if None, with the spots left, by name."""
    study_id, arm = (context.study_id, None) if found is None else (found.study_id, found.arm)
    sites = {site.site_id: site for site in catalogue.read_sites(context.store, study_id)}
    spots = coordinating.capacity(context.store, context.actor, study_id, context.now, arm=arm)
    is_waiting = found is not None and found.site_id is None
    return tuple(
        sorted(
            (
                (sites[item.site_id], item.remaining)
                for item in spots
                if item.site_id in sites
                and (found is None or item.site_id != found.site_id)
                and item.is_open
                and (is_waiting or item.remaining != 0)
                and context.may(Permission.REFERRALS_WRITE, item.site_id)
            ),
            key=lambda pair: (pair[0].facility, pair[0].city, pair[0].site_id),
        )
    )


def _confirm(
    context: ConsoleContext, found: Referral, action: Action, *, fault: str = "", status: int = 200
) -> Response:
    return page(
        "confirm_move.html",
        status=status,
        referral=found,
        action=action,
        reasons=tuple(ACTIONS[action].reasons or ()),
        called=action_label,
        targets=targets(context, found) if ACTIONS[action].needs is Needs.SITE else (),
        policy=coordinating.policy(context.store, context.actor, found.study_id),
        sites={site.site_id: site for site in catalogue.read_sites(context.store, found.study_id)},
        fault=fault,
    )
