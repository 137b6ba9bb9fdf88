"""Requests of coordinators and the outer types of their answers; `exporters.wire.capacity` has the inner ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from msgspec import Meta

from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.reasons import ClosureReason, CorrectionReason, ScreenFailureReason, WithdrawalReason
from sitematch.domain.capacity.referral_filter import ReferralFilter, ReferralSort
from sitematch.domain.capacity.spot import MAX_OPEN_HOLDS, MAX_WAITING_SITES, OPEN_HOLDS_PER_ACCOUNT
from sitematch.domain.capacity.states import ACTIONS, Action, Needs, SpotState
from sitematch.exporters.wire.capacity import (
    CapAnswer,
    EventAnswer,
    ReferralAnswer,
    SiteCapacityAnswer,
    WaitingAnswer,
)
from sitematch.exporters.wire.matches import Instant, Wire

StudyId = Annotated[str | None, Meta(description="The default is this server's default study.")]
Hours = Annotated[float, Meta(gt=0, le=8760)]
ReferralId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]

NEW_ID = (
    "Letters, digits and . _ : - only. It must not identify the patient. The default is a random id, which stays the "
    "same for the same idempotency key."
)


class EmptyRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """A request without parameters; the URL is enough."""


class StudyQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The study."""

    study_id: StudyId = None


class CapacityQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The requested spots."""

    study_id: StudyId = None
    site_id: Annotated[str | None, Meta(description="Only this site.")] = None
    arm: Annotated[str | None, Meta(description="Also apply the cap of this arm or cohort.")] = None
    since: Annotated[
        Instant | None,
        Meta(
            description="Leave out sites that have certainly not changed since this time, the `as_of` of your last "
            "answer. If `catalogue` has changed since that answer, ask again without `since`."
        ),
    ] = None
    as_of: Annotated[Instant | None, Meta(description="Show the state at an earlier time.")] = None


class ReferralsQuery(Wire, frozen=True, forbid_unknown_fields=True):
    """The requested referrals, one page at a time."""

    study_id: StudyId = None
    site_id: Annotated[str | None, Meta(description="Only referrals at this site.")] = None
    state: Annotated[tuple[SpotState, ...], Meta(description="Only referrals in one of these states.")] = ()
    q: Annotated[str, Meta(max_length=64, description="Only referrals whose id contains this.")] = ""
    arm: Annotated[str | None, Meta(description="Only referrals for this arm or cohort.")] = None
    actor_id: Annotated[str | None, Meta(description="Only if this actor made the latest change.")] = None
    changed_from: Annotated[Instant | None, Meta(description="Only if the latest change was then or later.")] = None
    changed_before: Annotated[Instant | None, Meta(description="Only if the latest change was before this time.")] = (
        None
    )
    lapses_before: Annotated[
        Instant | None, Meta(description="Only holds and offers that have not lapsed, but will before this time.")
    ] = None
    sort: Annotated[
        ReferralSort, Meta(description="By latest or oldest change, or what lapses next (holds and offers only).")
    ] = ReferralSort.LATEST
    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most.")] = 100
    before: Annotated[
        Annotated[str, Meta(max_length=40)] | None, Meta(description="The `next` value of the page before.")
    ] = None

    def wanted(self) -> ReferralFilter:
        """Return the conditions and the order."""
        return ReferralFilter(
            text=self.q,
            states=frozenset(self.state) or None,
            site_id=self.site_id,
            arm=self.arm,
            actor_id=self.actor_id,
            changed_from=self.changed_from,
            changed_before=self.changed_before,
            lapses_before=self.lapses_before,
            sort=self.sort,
        )


class PartRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """A part of a study."""

    level: CapLevel
    scope: Annotated[
        str, Meta(description="Country (ISO 3166-1 alpha-2), arm or site_id; empty for the study.", max_length=200)
    ] = ""
    study_id: StudyId = None

    def key(self) -> CapKey:
        """Return the key of the cap."""
        return CapKey(level=self.level, scope=self.scope)


class CapRequest(PartRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit for a part of a study."""

    spots: Annotated[Annotated[int, Meta(ge=0, le=10_000_000)] | None, Meta(description="The cap; null removes it.")]


class OpeningRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """The opening day of a site."""

    opened_on: Annotated[
        date | None, Meta(description="The day it opened or will open; null removes what is recorded.")
    ]
    study_id: StudyId = None


class OpeningAnswer(Wire, frozen=True):
    """The recorded opening day of a site."""

    site_id: str
    opened_on: date | None


class ClosureRequest(PartRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a study to close, and for the history why and since when."""

    reason: Annotated[ClosureReason | None, Meta(description="A reason code.")] = None
    closed_on: Annotated[date | None, Meta(description="Since when it has taken nobody; not in the future.")] = None


OpenHolds = Annotated[int, Meta(ge=1, le=MAX_OPEN_HOLDS)] | None


class PolicyRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """All of a study's rules for its spots."""

    hold_hours: Annotated[Hours, Meta(description="How long a hold lasts.")]
    offer_hours: Annotated[Hours, Meta(description="How long an offer from the waiting list lasts.")]
    gives_back: Annotated[
        tuple[SpotState, ...], Meta(description="The outcomes that free the spot: SCREEN_FAILED, WITHDRAWN.")
    ]
    waiting_list: Annotated[bool, Meta(description="Whether the study has a waiting list.")]
    study_id: StudyId = None
    extension_hours: Annotated[
        float, Meta(ge=0, le=8760, description="By how much a hold may be extended in all; 0 for not at all.")
    ] = 168
    screening_days: Annotated[
        Annotated[float, Meta(gt=0, le=365)] | None,
        Meta(description="How long the protocol lets screening last; null for no window."),
    ] = 28
    open_holds_per_site: Annotated[
        OpenHolds, Meta(description="The most open holds at one site; null for no limit.")
    ] = None
    open_holds_per_account: Annotated[
        OpenHolds, Meta(description="The most open holds of one account or token; null for no limit.")
    ] = OPEN_HOLDS_PER_ACCOUNT


class HoldRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """A spot to hold."""

    site_id: str
    referral_id: Annotated[ReferralId | None, Meta(description=NEW_ID)] = None
    arm: Annotated[ReferralId | None, Meta(description="The arm or cohort. Its cap applies too.")] = None
    hold_hours: Annotated[
        Hours | None, Meta(description="The length of the hold; the default is the study's rule.")
    ] = None
    study_id: StudyId = None


class WaitRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """A referral that waits for a spot."""

    site_ids: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            max_length=MAX_WAITING_SITES,
            description="The sites that the patient can travel to, preferred site first. The distance and the "
            "patient's location are not stored.",
        ),
    ]
    referral_id: Annotated[ReferralId | None, Meta(description=NEW_ID)] = None
    arm: Annotated[ReferralId | None, Meta(description="The arm or cohort.")] = None
    priority: Annotated[int, Meta(ge=-1000, le=1000, description="Higher numbers come first.")] = 0
    study_id: StudyId = None


class ScreenFailureRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """Why screening failed."""

    reason: Annotated[ScreenFailureReason, Meta(description="A reason code. Free text about a patient is not allowed.")]


class WithdrawalRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """Why a participant left."""

    reason: Annotated[WithdrawalReason, Meta(description="A reason code. Free text about a patient is not allowed.")]


class CorrectionRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """Why the last step is taken back."""

    reason: Annotated[CorrectionReason, Meta(description="A reason code. Free text about a patient is not allowed.")]


class ExtensionRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """By how much to extend a hold."""

    hours: Annotated[
        Hours | None, Meta(description="The default is the length of a hold, or what the study's rules leave.")
    ] = None


class TransferRequest(Wire, frozen=True, forbid_unknown_fields=True):
    """Where to move a referral."""

    site_id: Annotated[str, Meta(description="The new site.")]


_REASON_REQUESTS: Mapping[type, type[Wire]] = {
    ScreenFailureReason: ScreenFailureRequest,
    WithdrawalReason: WithdrawalRequest,
    CorrectionReason: CorrectionRequest,
}
_NEEDS_REQUESTS: Mapping[Needs, type[Wire]] = {Needs.HOURS: ExtensionRequest, Needs.SITE: TransferRequest}


def move_request(action: Action) -> type[Wire] | None:
    """Return the body of an action on a referral; None if it has none."""
    facts = ACTIONS[action]
    if facts.reasons is not None:
        return _REASON_REQUESTS[facts.reasons]
    return None if facts.needs is None else _NEEDS_REQUESTS[facts.needs]


class CapacityAnswer(Wire, frozen=True):
    """The spots of a study's sites."""

    study_id: str
    as_of: Annotated[Instant, Meta(description="The time that the numbers describe.")]
    catalogue: Annotated[str, Meta(description="Changes when the study or its sites are loaded again.")]
    sites: tuple[SiteCapacityAnswer, ...]


class CapsAnswer(Wire, frozen=True):
    """A study's caps, widest first."""

    study_id: str
    caps: tuple[CapAnswer, ...]


class ReferralsAnswer(Wire, frozen=True):
    """Referrals in the order that was asked for."""

    study_id: str
    referrals: tuple[ReferralAnswer, ...]
    next: Annotated[str | None, Meta(description="Send it as `before` for the next page; null on the last.")]
    searched_to: Annotated[
        Instant | None,
        Meta(description="The time of the last change that was looked at, if the page is not full but not the last."),
    ]


class HistoryAnswer(Wire, frozen=True):
    """All events of a referral, oldest first."""

    referral: ReferralAnswer
    events: tuple[EventAnswer, ...]


class WaitingListAnswer(Wire, frozen=True):
    """The waiting list, the next referral first."""

    study_id: str
    entries: tuple[WaitingAnswer, ...]
