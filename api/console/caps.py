"""Caps, closures and rules of a study: display, and changes after a preview and confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import ConsoleContext, go, page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console
from api.http.errors import problem_of
from api.http.reading import read_filters, read_form
from api.pages.languages import gettext as _
from sitematch.domain.accounts.access import Permission, require
from sitematch.domain.capacity.caps import CAP_LEVELS, CapKey, CapLevel, CapUsage
from sitematch.domain.capacity.reasons import ClosureReason
from sitematch.domain.capacity.spot import SpotPolicy
from sitematch.domain.capacity.states import SpotState
from sitematch.errors import InvalidInput, SitematchError
from sitematch.exporters.wire.matches import Wire
from sitematch.services.capacity import coordinating, referral_lists
from sitematch.services.studies import catalogue

_Scope = Annotated[str, Meta(max_length=200)]


class Change(StrEnum):
    """Actions on a part of a study."""

    SET = "set"
    CLOSE = "close"
    REOPEN = "reopen"


class CapsQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The action that was just done."""

    study: str | None = None
    done: Annotated[str, Meta(max_length=20)] = ""


class ChangeQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """A change to preview."""

    change: Change
    level: CapLevel = CapLevel.STUDY
    scope: _Scope = ""
    part: Annotated[str, Meta(max_length=210)] = ""
    arm: _Scope = ""
    spots: Annotated[str, Meta(max_length=10)] = ""
    study: str | None = None

    def key(self) -> CapKey:
        """Return the part of the study: chosen in the list as ``"SITE:id"``, or a new arm that was typed."""
        if not self.part:
            return CapKey(level=self.level, scope=self.scope.strip())
        level, _colon, scope = self.part.partition(":")
        if level not in set(CapLevel):
            raise InvalidInput(_("Choose a part of the study."), field="part")
        is_new_arm = level == CapLevel.ARM and not scope
        return CapKey(level=CapLevel(level), scope=self.arm.strip() if is_new_arm else scope)


class ChangeForm(ConsoleForm, frozen=True, kw_only=True):
    """A change to make."""

    level: CapLevel
    change: Change
    scope: _Scope = ""
    spots: Annotated[str, Meta(max_length=10)] = ""
    reason: Annotated[str, Meta(max_length=40)] = ""
    closed_on: Annotated[str, Meta(max_length=10)] = ""


class PolicyForm(ConsoleForm, frozen=True, kw_only=True):
    """A study's rules for its spots."""

    hold_hours: Annotated[float, Meta(gt=0, le=8760)]
    offer_hours: Annotated[float, Meta(gt=0, le=8760)]
    gives_back: tuple[SpotState, ...] = ()
    waiting_list: str = ""
    extension_hours: Annotated[float, Meta(ge=0, le=8760)] = 168
    screening_days: Annotated[float, Meta(ge=0, le=365)] = 0
    open_holds_per_site: Annotated[str, Meta(max_length=10)] = ""
    open_holds_per_account: Annotated[str, Meta(max_length=10)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/caps", Permission.CAPACITY_READ)
    def caps() -> Response:
        return _show(ConsoleContext(backend), done=read_filters(CapsQuery).done)

    @console.page("GET", "/caps/change", Permission.CAPS_WRITE)
    def confirm_change() -> Response:
        context = ConsoleContext(backend)
        require(context.actor, Permission.CAPS_WRITE, study_id=context.study_id)
        try:
            asked = read_filters(ChangeQuery)
            key = asked.key()
            spots = _spots(asked.spots) if asked.change is Change.SET else None
        except InvalidInput as error:
            return _show(context, fault=error.message, status=400)
        found = coordinating.caps(context.store, context.actor, context.study_id, context.now)
        sites = {site.site_id: site for site in catalogue.read_sites(context.store, context.study_id)}
        return page(
            "confirm_cap.html",
            key=key,
            change=asked.change,
            spots=spots,
            typed_spots=asked.spots,
            present=next((usage for usage in found if usage.key == key), None),
            taken=_taken(context, found, key),
            under_way=_under_way(context, key),
            reasons=list(ClosureReason),
            today=context.now.date(),
            sites=sites,
        )

    @console.page("POST", "/caps", Permission.CAPS_WRITE)
    def change_cap() -> Response:
        asked, context = read_form(ChangeForm), ConsoleContext(backend)
        key = CapKey(level=asked.level, scope=asked.scope)
        try:
            _change(context, key, asked)
        except SitematchError as error:
            fault = problem_of(error)
            if fault.status >= 500:
                raise
            return _show(context, fault=fault.detail, status=fault.status)
        if key.level is CapLevel.SITE:
            return go("site", site_id=key.scope, done=asked.change.value)
        return go("caps", done=asked.change.value)

    @console.page("POST", "/rules", Permission.CAPS_WRITE)
    def set_rules() -> Response:
        asked, context = read_form(PolicyForm), ConsoleContext(backend)
        rules = SpotPolicy(
            hold=timedelta(hours=asked.hold_hours),
            offer=timedelta(hours=asked.offer_hours),
            gives_back=frozenset(asked.gives_back),
            waiting_list=bool(asked.waiting_list),
            extension=timedelta(hours=asked.extension_hours),
            screening_window=timedelta(days=asked.screening_days) if asked.screening_days else None,
            open_holds_per_site=_spots(asked.open_holds_per_site),
            open_holds_per_account=_spots(asked.open_holds_per_account),
        )
        coordinating.set_policy(context.store, context.caller, study_id=context.study_id, policy=rules, now=context.now)
        return go("caps", done="rules")


def _change(context: ConsoleContext, key: CapKey, asked: ChangeForm) -> None:
    store, caller, study_id, now = context.store, context.caller, context.study_id, context.now
    if asked.change is Change.SET:
        coordinating.set_cap(store, caller, study_id=study_id, key=key, spots=_spots(asked.spots), now=now)
    elif asked.change is Change.CLOSE:
        if asked.reason not in set(ClosureReason):
            raise InvalidInput(_("Choose a reason."), field="reason")
        try:
            closed_on = date.fromisoformat(asked.closed_on) if asked.closed_on else None
        except ValueError:
            raise InvalidInput(_("Give the day of the closure as a date."), field="closed_on") from None
        coordinating.close(
            store, caller, study_id=study_id, key=key, now=now, reason=ClosureReason(asked.reason), closed_on=closed_on
        )
    else:
        coordinating.reopen(store, caller, study_id=study_id, key=key, now=now)


def _show(context: ConsoleContext, *, done: str = "", fault: str = "", status: int = 200) -> Response:
    sites = catalogue.read_sites(context.store, context.study_id)
    return page(
        "caps.html",
        status=status,
        caps=coordinating.caps(context.store, context.actor, context.study_id, context.now),
        policy=coordinating.policy(context.store, context.actor, context.study_id),
        sites={site.site_id: site for site in sites},
        countries=sorted({site.country for site in sites}),
        arms=referral_lists.arms(context.store, context.actor, context.study_id),
        done=done,
        fault=fault,
    )


def _spots(text: str) -> int | None:
    """Parse a limit; empty means none."""
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(_("The cap must be a whole number, or empty for no cap."), field="spots") from None


def _under_way(context: ConsoleContext, key: CapKey) -> dict[str, int]:
    """Count the referrals under way in a part of the study, which a closure does not end; empty for an arm."""
    if key.level is CapLevel.ARM:
        return {}
    name = CAP_LEVELS[key.level].site_attribute
    sites = [
        site
        for site in coordinating.capacity(context.store, context.actor, context.study_id, context.now)
        if name is None or getattr(site, name) == key.scope
    ]
    return {
        figure: sum(getattr(site, figure) for site in sites) for figure in ("offered", "held", "screening", "enrolled")
    }


def _taken(context: ConsoleContext, caps: Sequence[CapUsage], key: CapKey) -> int | None:
    """Return the number of spots in use in a part of the study; None for an arm without a cap, which is not counted."""
    known = next((usage.taken for usage in caps if usage.key == key), None)
    if known is not None or key.level is CapLevel.ARM:
        return known
    sites = coordinating.capacity(context.store, context.actor, context.study_id, context.now)
    name = CAP_LEVELS[key.level].site_attribute
    return sum(site.taken for site in sites if name is None or getattr(site, name) == key.scope)
