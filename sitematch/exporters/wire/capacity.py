"""The JSON types of capacity, caps, referrals and the waiting list, for the command line and HTTP."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sitematch.domain.capacity.caps import CapacityState, CapKey, CapLevel, CapUsage, SiteCapacity
from sitematch.domain.capacity.spot import LedgerEvent, Referral, SpotPolicy, WaitingEntry
from sitematch.domain.capacity.states import Action, EventKind, SpotState
from sitematch.exporters.wire.matches import Instant, Wire


class CapRef(Wire, frozen=True):
    """The part of a study that a cap covers."""

    level: CapLevel
    scope: Annotated[str, Meta(description="Country (ISO 3166-1 alpha-2), arm or site_id; empty for the study.")]


class SiteCapacityAnswer(Wire, frozen=True):
    """The spots of one site."""

    site_id: str
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    state: Annotated[CapacityState, Meta(description="What can be offered now (HL7 SDOH Clinical Care's values).")]
    is_open: Annotated[bool, Meta(description="Whether the site, its country and the study take patients.")]
    cap: Annotated[int | None, Meta(description="The site's own limit; null shares wider ones only.")]
    offered: int
    held: int
    screening: int
    enrolled: int
    withdrawn: int
    screen_failed: int
    taken: Annotated[int, Meta(description="Spots in use under the study's policy.")]
    remaining: Annotated[
        int | None, Meta(description="The smallest number left under any cap that applies; null is unknown.")
    ]
    bound_by: Annotated[CapRef | None, Meta(description="The cap that `remaining` comes from.")]
    over_enrolled: Annotated[int, Meta(description="The number of spots taken above the site's own cap.")]
    as_of: Instant


class CapAnswer(Wire, frozen=True):
    """One cap and the spots taken under it."""

    study_id: str
    level: CapLevel
    scope: Annotated[str, Meta(description="Country (ISO 3166-1 alpha-2), arm or site_id; empty for the study.")]
    spots: Annotated[int | None, Meta(description="The limit; null if there is none.")]
    is_closed: bool
    taken: int
    remaining: Annotated[
        int | None, Meta(description="Spots left under this cap; other caps may leave fewer. Null: no limit.")
    ]
    over_enrolled: int
    as_of: Instant


class ReferralAnswer(Wire, frozen=True):
    """The state of one referral."""

    referral_id: Annotated[str, Meta(description="An id that does not identify the patient.")]
    study_id: str
    site_id: Annotated[str | None, Meta(description="Null while it waits.")]
    country: str | None
    arm: str | None
    state: SpotState
    expires_at: Annotated[Instant | None, Meta(description="When the hold or offer lapses or lapsed.")]
    reason: Annotated[str | None, Meta(description="Why screening failed, somebody left, or a step was taken back.")]
    changed_at: Instant
    seq: Annotated[int, Meta(description="Place of the latest event in the study's chain.")]
    allowed: Annotated[tuple[Action, ...], Meta(description="The actions that are possible now.")]


class EventAnswer(Wire, frozen=True):
    """One line of the audit trail."""

    seq: int
    kind: EventKind
    at: Instant
    site_id: str | None
    expires_at: Instant | None
    reason: str | None
    actor_id: Annotated[str, Meta(description="Who recorded the event.")]
    request_id: Annotated[str, Meta(description="The id of the request.")]
    hash: str


class WaitingAnswer(Wire, frozen=True):
    """One referral on the waiting list."""

    place: Annotated[int, Meta(ge=1, description="The position in this list; the first is offered a spot first.")]
    referral_id: str
    study_id: str
    arm: str | None
    priority: int
    joined_at: Instant
    site_ids: Annotated[tuple[str, ...], Meta(description="The sites it waits for, preferred site first.")]


class PolicyAnswer(Wire, frozen=True):
    """A study's rules for its spots."""

    hold_hours: float
    offer_hours: float
    gives_back: Annotated[
        tuple[SpotState, ...], Meta(description="The outcomes that free the spot: SCREEN_FAILED, WITHDRAWN.")
    ]
    waiting_list: bool
    extension_hours: Annotated[float, Meta(description="By how much a hold may be extended in all.")]
    screening_days: Annotated[float | None, Meta(description="How long screening may last; null for no window.")]
    open_holds_per_site: Annotated[int | None, Meta(description="The most open holds at one site; null is no limit.")]
    open_holds_per_account: Annotated[
        int | None, Meta(description="The most open holds of one account or token; null is no limit.")
    ]


def site_capacity_answer(site: SiteCapacity) -> SiteCapacityAnswer:
    """Return the JSON type with the spots of one site."""
    return SiteCapacityAnswer(
        site_id=site.site_id,
        country=site.country,
        state=site.state,
        is_open=site.is_open,
        cap=site.cap,
        offered=site.offered,
        held=site.held,
        screening=site.screening,
        enrolled=site.enrolled,
        withdrawn=site.withdrawn,
        screen_failed=site.screen_failed,
        taken=site.taken,
        remaining=site.remaining,
        bound_by=None if site.binding is None else _cap_ref(site.binding),
        over_enrolled=site.over_enrolled,
        as_of=site.as_of,
    )


def cap_answer(usage: CapUsage) -> CapAnswer:
    """Return the JSON type of one cap."""
    return CapAnswer(
        study_id=usage.study_id,
        level=usage.key.level,
        scope=usage.key.scope,
        spots=usage.spots,
        is_closed=usage.is_closed,
        taken=usage.taken,
        remaining=usage.remaining,
        over_enrolled=usage.over_enrolled,
        as_of=usage.as_of,
    )


def referral_answer(referral: Referral) -> ReferralAnswer:
    """Return the JSON type of one referral."""
    return ReferralAnswer(
        referral_id=referral.referral_id,
        study_id=referral.study_id,
        site_id=referral.site_id,
        country=referral.country,
        arm=referral.arm,
        state=referral.state,
        expires_at=referral.expires_at,
        reason=referral.reason,
        changed_at=referral.changed_at,
        seq=referral.seq,
        allowed=referral.allowed,
    )


def event_answer(event: LedgerEvent) -> EventAnswer:
    """Return the JSON type of one line of the audit trail."""
    return EventAnswer(
        seq=event.seq,
        kind=event.kind,
        at=event.at,
        site_id=event.site_id,
        expires_at=event.expires_at,
        reason=event.reason,
        actor_id=event.actor_id,
        request_id=event.request_id,
        hash=event.hash,
    )


def waiting_answers(entries: tuple[WaitingEntry, ...]) -> tuple[WaitingAnswer, ...]:
    """Return the JSON type of a waiting list; the given order is the order of offers."""
    return tuple(
        WaitingAnswer(
            place=place,
            referral_id=entry.referral_id,
            study_id=entry.study_id,
            arm=entry.arm,
            priority=entry.priority,
            joined_at=entry.joined_at,
            site_ids=entry.site_ids,
        )
        for place, entry in enumerate(entries, start=1)
    )


def policy_answer(policy: SpotPolicy) -> PolicyAnswer:
    """Return the JSON type of a study's rules."""
    return PolicyAnswer(
        hold_hours=policy.hold.total_seconds() / 3600,
        offer_hours=policy.offer.total_seconds() / 3600,
        gives_back=tuple(sorted(policy.gives_back)),
        waiting_list=policy.waiting_list,
        extension_hours=policy.extension.total_seconds() / 3600,
        screening_days=None if policy.screening_window is None else policy.screening_window.total_seconds() / 86_400,
        open_holds_per_site=policy.open_holds_per_site,
        open_holds_per_account=policy.open_holds_per_account,
    )


def _cap_ref(key: CapKey) -> CapRef:
    return CapRef(level=key.level, scope=key.scope)
