"""A study's rules for its spots, and where a referral stands; `states` has the table of states."""

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
    """Return what may be done next; None is a referral that the ledger does not know."""
    return ENTRY if state is None else STATES[state].allows


def require_allowed(referral_id: str, state: SpotState | None, action: Action) -> None:
    """Check that an action may follow a state.

    Raises
    ------
    IllegalTransition
        If not; it names what is allowed.
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
"""The most sites that an entry of the waiting list may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotPolicy:
    """A study's rules for its spots.

    Parameters
    ----------
    hold
        How long a hold lasts; more than 0, at most a year.
    offer
        How long an offer from the waiting list lasts; the same bounds.
    gives_back
        Which of SCREEN_FAILED and WITHDRAWN give the spot back. By default a failed screening does, and a
        withdrawn participant does not: the protocol counts them unless it replaces them. A released or lapsed
        spot always comes back.
    waiting_list
        Whether one can wait for a spot.

    Raises
    ------
    InvalidPolicy
        If a value is out of its bounds.
    """

    hold: timedelta = timedelta(hours=48)
    offer: timedelta = timedelta(hours=48)
    gives_back: frozenset[SpotState] = field(default=GIVES_BACK_BY_DEFAULT)
    waiting_list: bool = True

    def __post_init__(self) -> None:
        for name, value in (("hold", self.hold), ("offer", self.offer)):
            if not timedelta(0) < value <= timedelta(days=365):
                raise InvalidPolicy(f"The {name} must last more than 0 and at most 365 days.", field=name)
        if not self.gives_back <= BY_POLICY:
            names = " and ".join(state for state in SpotState if state in BY_POLICY)
            raise InvalidPolicy(f"Only {names} can be set to give a spot back or keep it.", field="gives_back")

    def takes_spot(self, state: SpotState) -> bool:
        """Whether a referral in this state has a spot in use."""
        if state in BY_POLICY:
            return state not in self.gives_back
        return STATES[state].spot is SpotUse.ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """Where one referral stands at an instant.

    Parameters
    ----------
    referral_id
        Opaque; it says nothing about the patient.
    study_id
        The study.
    site_id, country, arm
        Where the spot is; None while waiting, and `arm` where none was chosen.
    state
        Its state.
    expires_at
        When the hold or offer lapses, or did; None in other states.
    reason
        Why screening failed or the participant left, as a code; None in other states.
    changed_at
        When the latest event happened (aware, UTC).
    seq
        That event's place in the study's chain.
    allowed
        What may be done next, in alphabetical order.
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
    """Which of a study's referrals somebody may see who does not see all.

    Parameters
    ----------
    site_ids
        The sites whose referrals may be seen.
    waiting_ids
        The waiting referrals, which have no site, that may be seen all the same.
    """

    site_ids: frozenset[str]
    waiting_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEntry:
    """One referral on a study's waiting list.

    Parameters
    ----------
    referral_id, study_id, arm
        Who waits for what.
    priority
        Greater comes first; 0 unless said.
    joined_at
        When it joined (aware, UTC); among equal priorities the oldest comes first.
    site_ids
        The sites that it would travel to, the preferred first. Which sites lie within the distance that the
        patient stated is worked out before, and neither the distances nor the postcode are kept: three
        distances would give the home away.
    """

    referral_id: str
    study_id: str
    arm: str | None
    priority: int
    joined_at: datetime
    site_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEvent:
    """One line of the audit trail: who did what, when, by which request.

    Parameters
    ----------
    study_id, seq
        Its place: the first event of a study is 1.
    kind, at
        What happened and when (aware, UTC); `at` never goes back within a study.
    referral_id, site_id, country, arm, expires_at, reason
        What it is about; None where it does not apply.
    detail
        JSON text: a cap's level, scope and spots, a policy, a waiting entry's sites; ``"{}"`` if nothing.
    actor_id, request_id
        Who, and by which request.
    prev_hash, hash
        SHA-256, in hexadecimal, of the event before (64 zeros for the first) and of this one with that.
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
