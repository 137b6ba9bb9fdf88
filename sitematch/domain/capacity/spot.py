"""A study's rules for its spots, and the state of a referral; `states` has the table of states."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sitematch.domain.capacity.states import (
    BY_POLICY,
    ENTRY,
    GIVES_BACK_BY_DEFAULT,
    STATES,
    Action,
    EventKind,
    SpotState,
    SpotUse,
    state_of,
)
from sitematch.errors import IllegalTransition, InvalidPolicy


def state_at(kind: EventKind, expires_at: datetime | None, now: datetime) -> SpotState:
    """Return the state of a referral from its latest event.

    Parameters
    ----------
    kind
        The latest event's kind: one of `states.REFERRAL_KINDS`.
    expires_at
        When a hold or an offer lapses; a hold counts while ``expires_at > now``. None for the other kinds.
    now
        The instant (aware).

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    >>> state_at(EventKind.HELD, noon, noon)
    <SpotState.EXPIRED: 'EXPIRED'>
    """
    return state_of(kind, has_lapsed=expires_at is not None and expires_at <= now)


def allowed_in(state: SpotState | None) -> frozenset[Action]:
    """Return the possible actions; None is a referral that is not in the ledger."""
    return ENTRY if state is None else STATES[state].allows


def require_allowed(referral_id: str, state: SpotState | None, action: Action) -> None:
    """Check that an action is possible in a state.

    Raises
    ------
    IllegalTransition
        If not; it lists the allowed actions.
    """
    allowed = allowed_in(state)
    if action in allowed:
        return
    names = tuple(sorted(item.value for item in allowed))
    where = "is not known" if state is None else f"is {state.value}"
    may = f"allowed: {', '.join(names)}" if names else "no further action is possible"
    raise IllegalTransition(
        f"Referral {referral_id} {where}: {action.value} is not possible; {may}.",
        state=None if state is None else state.value,
        action=action.value,
        allowed=names,
    )


MAX_WAITING_SITES = 500
"""Maximum number of sites in an entry of the waiting list."""


OPEN_HOLDS_PER_ACCOUNT = 200
"""Open holds that one account may have in a study unless its rules say otherwise."""

MAX_OPEN_HOLDS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotPolicy:
    """A study's rules for its spots.

    Parameters
    ----------
    hold
        How long a hold lasts; more than 0, at most a year.
    offer
        How long an offer from the waiting list lasts; with the same limits.
    gives_back
        Which of SCREEN_FAILED and WITHDRAWN release the spot. By default a failed screening does, and a withdrawn
        participant does not, because the protocol counts them unless it replaces them. A released or lapsed spot is
        always free again.
    waiting_list
        Whether the study has a waiting list.
    extension
        By how much a hold may be extended in all; 0 to 365 days. By default 7 days.
    screening_window
        How long the protocol lets screening last: more than 0, at most 365 days; None for no window. By default 28
        days. Longer ones are listed as overdue, and nothing else happens.
    open_holds_per_site, open_holds_per_account
        The most holds that may be open at the same time at one site, and that one account or token may have open in the
        study; 1 to 10,000,000, None for no limit. Offers do not count. Without a limit, one careless or stolen account
        could take every spot of a study.

    Raises
    ------
    InvalidPolicy
        If a value is out of its limits.
    """

    hold: timedelta = timedelta(hours=48)
    offer: timedelta = timedelta(hours=48)
    gives_back: frozenset[SpotState] = field(default=GIVES_BACK_BY_DEFAULT)
    waiting_list: bool = True
    extension: timedelta = timedelta(days=7)
    screening_window: timedelta | None = timedelta(days=28)
    open_holds_per_site: int | None = None
    open_holds_per_account: int | None = OPEN_HOLDS_PER_ACCOUNT

    def __post_init__(self) -> None:
        for name, value in (("hold", self.hold), ("offer", self.offer)):
            if not timedelta(0) < value <= timedelta(days=365):
                raise InvalidPolicy(f"The {name} must last more than 0 and at most 365 days.", field=name)
        if not timedelta(0) <= self.extension <= timedelta(days=365):
            raise InvalidPolicy("A hold may be extended by 0 to 365 days.", field="extension")
        if self.screening_window is not None and not timedelta(0) < self.screening_window <= timedelta(days=365):
            raise InvalidPolicy("Screening must last more than 0 and at most 365 days.", field="screening_window")
        for name in ("open_holds_per_site", "open_holds_per_account"):
            most = getattr(self, name)
            if most is not None and not 1 <= most <= MAX_OPEN_HOLDS:
                raise InvalidPolicy(f"A limit on open holds must be 1 to {MAX_OPEN_HOLDS}, or none.", field=name)
        if not self.gives_back <= BY_POLICY:
            names = " and ".join(state for state in SpotState if state in BY_POLICY)
            raise InvalidPolicy(f"Only {names} can be set to give a spot back or keep it.", field="gives_back")

    def takes_spot(self, state: SpotState) -> bool:
        """Return whether a referral in this state uses a spot."""
        if state in BY_POLICY:
            return state not in self.gives_back
        return STATES[state].spot is SpotUse.ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """The state of one referral at a given time.

    Parameters
    ----------
    referral_id
        An opaque id without information about the patient.
    study_id
        The study.
    site_id, country, arm
        Where the spot is; None while waiting, and `arm` is None if none was chosen.
    state
        Its state.
    expires_at
        When the hold or offer lapses or lapsed; None in other states.
    reason
        Why screening failed, the participant left, or the last step was taken back, as a code; None otherwise.
    changed_at
        When the latest event happened (aware, UTC).
    seq
        That event's position in the study's chain.
    allowed
        The possible actions, in alphabetical order.
    """

    referral_id: str
    study_id: str
    site_id: str | None
    country: str | None
    arm: str | None
    state: SpotState
    expires_at: datetime | None
    reason: str | None
    changed_at: datetime
    seq: int
    allowed: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleReferrals:
    """The referrals of a study that a person with limited access may see.

    Parameters
    ----------
    site_ids
        The sites whose referrals may be seen.
    waiting_ids
        The waiting referrals, which have no site, that may also be seen.
    """

    site_ids: frozenset[str]
    waiting_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEntry:
    """One referral on a study's waiting list.

    Parameters
    ----------
    referral_id, study_id, arm
        The referral, its study and its arm.
    priority
        Higher numbers come first; the default is 0.
    joined_at
        When it joined (aware, UTC); with equal priority, the oldest comes first.
    site_ids
        The sites that the patient would travel to, preferred site first. The caller finds the sites within the
        patient's maximum distance beforehand. Neither the distances nor the postcode are stored, because three
        distances would reveal the home.
    """

    referral_id: str
    study_id: str
    arm: str | None
    priority: int
    joined_at: datetime
    site_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEvent:
    """One line of the audit trail: who did what, when, and in which request.

    Parameters
    ----------
    study_id, seq
        Its position: the first event of a study is 1.
    kind, at
        The event and its time (aware, UTC); `at` never goes back within a study.
    referral_id, site_id, country, arm, expires_at, reason
        The values of the event; None if they do not apply.
    detail
        JSON text: a cap's level, scope and spots, a policy, a waiting entry's sites; ``"{}"`` if empty.
    actor_id, request_id
        Who acted, and in which request.
    prev_hash, hash
        SHA-256, in hexadecimal, of the previous event (64 zeros for the first), and of this event together with that.
    """

    study_id: str
    seq: int
    kind: EventKind
    at: datetime
    referral_id: str | None
    site_id: str | None
    country: str | None
    arm: str | None
    expires_at: datetime | None
    reason: str | None
    detail: str
    actor_id: str
    request_id: str
    prev_hash: str
    hash: str
