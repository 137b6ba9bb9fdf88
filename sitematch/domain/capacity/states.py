"""The table of a referral's states: whether each takes a spot, what can follow it, and where it is counted.

::

    (none) ── join_waiting_list ──> WAITING ──(a spot is freed)──> OFFERED ── accept_offer ──┐
      └────────────────────── place_hold ──────────────────────────────────────────────> HELD
    HELD ── start_screening ──> SCREENING ── enroll ──> ENROLLED ── withdraw ──> WITHDRAWN
                                    └── screen_failure ──> SCREEN_FAILED
    release: from WAITING, OFFERED, HELD and SCREENING ──> RELEASED
    EXPIRED and OFFER_LAPSED are not events: HELD and OFFERED become these states when `now` reaches
    `expires_at`.

The ledger, the waiting list, the feed, the capacity report, the funnel, the forecast, the console, the API and the
command line all read `STATES` and `ACTIONS`. To add a state, add it here and give it a label for the console; a test
checks both tables.

A referral that was released, lapsed or failed screening can be held or wait again (rescreening is common). A referral
that withdrew cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum


class EventKind(StrEnum):
    """Events in the ledger: the first eight change a referral, the next four a study's rules, the last two a site."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    SCREENING = "SCREENING"
    SCREEN_FAILED = "SCREEN_FAILED"
    ENROLLED = "ENROLLED"
    WITHDRAWN = "WITHDRAWN"
    WAITING = "WAITING"
    OFFERED = "OFFERED"
    CAP_SET = "CAP_SET"
    CLOSED = "CLOSED"
    OPENED = "OPENED"
    POLICY_SET = "POLICY_SET"
    TRAVEL_SET = "TRAVEL_SET"
    OPENING_SET = "OPENING_SET"


CAP_KINDS = (EventKind.CAP_SET, EventKind.CLOSED, EventKind.OPENED)
"""Events that change a cap."""

SETTING_KINDS = (*CAP_KINDS, EventKind.POLICY_SET)
"""Events that change a study's rules."""


SITE_KINDS = (EventKind.TRAVEL_SET, EventKind.OPENING_SET)
"""Events that record a fact about a site, and change no spot and no rule."""


class SpotState(StrEnum):
    """The state of a referral at a given time."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    OFFER_LAPSED = "OFFER_LAPSED"
    HELD = "HELD"
    EXPIRED = "EXPIRED"
    SCREENING = "SCREENING"
    SCREEN_FAILED = "SCREEN_FAILED"
    ENROLLED = "ENROLLED"
    WITHDRAWN = "WITHDRAWN"
    RELEASED = "RELEASED"


class Action(StrEnum):
    """Actions on a referral, in their usual order."""

    PLACE_HOLD = "place_hold"
    JOIN_WAITING_LIST = "join_waiting_list"
    ACCEPT_OFFER = "accept_offer"
    START_SCREENING = "start_screening"
    ENROLL = "enroll"
    SCREEN_FAILURE = "screen_failure"
    WITHDRAW = "withdraw"
    RELEASE = "release"


class ScreenFailureReason(StrEnum):
    """Why screening failed. A code, never free text, so that it cannot contain patient data."""

    INCLUSION_NOT_MET = "INCLUSION_NOT_MET"
    EXCLUSION_MET = "EXCLUSION_MET"
    LABORATORY = "LABORATORY"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    LOST_TO_FOLLOW_UP = "LOST_TO_FOLLOW_UP"
    TRAVEL = "TRAVEL"
    INVESTIGATOR_DECISION = "INVESTIGATOR_DECISION"
    SPONSOR_DECISION = "SPONSOR_DECISION"
    OTHER = "OTHER"


class WithdrawalReason(StrEnum):
    """Why a participant left. A code, never free text."""

    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    ADVERSE_EVENT = "ADVERSE_EVENT"
    LACK_OF_EFFICACY = "LACK_OF_EFFICACY"
    LOST_TO_FOLLOW_UP = "LOST_TO_FOLLOW_UP"
    PROTOCOL_DEVIATION = "PROTOCOL_DEVIATION"
    PREGNANCY = "PREGNANCY"
    DEATH = "DEATH"
    INVESTIGATOR_DECISION = "INVESTIGATOR_DECISION"
    SPONSOR_DECISION = "SPONSOR_DECISION"
    TRAVEL = "TRAVEL"
    OTHER = "OTHER"


class SpotUse(Enum):
    """Whether a referral in a state uses a spot."""

    ALWAYS = "always"
    NEVER = "never"
    UNLESS_KEPT = "unless kept"
    """The study's policy decides; by default the spot is released."""
    UNLESS_GIVEN_BACK = "unless given back"
    """The study's policy decides; by default the spot stays in use."""


class Figure(StrEnum):
    """The figure of a site's capacity that counts a referral."""

    OFFERED = "offered"
    HELD = "held"
    SCREENING = "screening"
    ENROLLED = "enrolled"
    RELEASED = "released"
    LAPSED = "lapsed"
    SCREEN_FAILED = "screen_failed"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """The result of an attempt to get a spot, in the funnel."""

    OPEN = "open"
    RELEASED = "released"
    LAPSED = "lapsed"
    SCREEN_FAILED = "screen_failed"
    ENROLLED = "enrolled"
    WITHDRAWN = "withdrawn"


class Tone(StrEnum):
    """How pages mark a state, in addition to its label."""

    NEUTRAL = ""
    GOOD = "good"
    CAUTION = "caution"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFacts:
    """All properties of one state.

    Parameters
    ----------
    event
        The latest event of a referral in this state.
    has_lapsed
        Whether that event's `expires_at` has passed.
    spot
        Whether it uses a spot.
    allows
        The possible actions.
    figure
        The capacity figure that counts it; None for referrals without a site.
    outcome
        The funnel outcome that counts it.
    is_participant
        Whether the person was enrolled: for the forecast.
    tone
        How pages mark it.
    """

    event: EventKind
    spot: SpotUse
    allows: frozenset[Action]
    figure: Figure | None
    outcome: Outcome
    has_lapsed: bool = False
    is_participant: bool = False
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """An action on a referral, with its names for people and programs.

    Parameters
    ----------
    event
        The event that the action writes.
    command, path
        Its name on the command line, and the last part of its URL under ``/v1/referrals/{id}/``. None for the two
        actions that begin an attempt, which have their own commands and URLs.
    text
        The effect, in one sentence.
    reasons
        The reason codes, one of which is required; None if it needs no reason.
    is_final
        Whether it cannot be undone, so that pages ask for confirmation.
    checks_open
        Whether the site must still be taking patients.
    """

    event: EventKind
    text: str
    command: str | None = None
    path: str | None = None
    reasons: type[ScreenFailureReason] | type[WithdrawalReason] | None = None
    is_final: bool = False
    checks_open: bool = False


ENTRY = frozenset({Action.PLACE_HOLD, Action.JOIN_WAITING_LIST})
"""Actions that begin an attempt: the only ones for a referral that is not in the ledger."""

STATES: Mapping[SpotState, StateFacts] = {
    SpotState.WAITING: StateFacts(
        event=EventKind.WAITING,
        spot=SpotUse.NEVER,
        allows=frozenset({Action.PLACE_HOLD, Action.RELEASE}),
        figure=None,
        outcome=Outcome.OPEN,
    ),
    SpotState.OFFERED: StateFacts(
        event=EventKind.OFFERED,
        spot=SpotUse.ALWAYS,
        allows=frozenset({Action.ACCEPT_OFFER, Action.RELEASE}),
        figure=Figure.OFFERED,
        outcome=Outcome.OPEN,
        tone=Tone.CAUTION,
    ),
    SpotState.OFFER_LAPSED: StateFacts(
        event=EventKind.OFFERED,
        has_lapsed=True,
        spot=SpotUse.NEVER,
        allows=ENTRY,
        figure=Figure.LAPSED,
        outcome=Outcome.LAPSED,
        tone=Tone.BAD,
    ),
    SpotState.HELD: StateFacts(
        event=EventKind.HELD,
        spot=SpotUse.ALWAYS,
        allows=frozenset({Action.START_SCREENING, Action.RELEASE}),
        figure=Figure.HELD,
        outcome=Outcome.OPEN,
        tone=Tone.CAUTION,
    ),
    SpotState.EXPIRED: StateFacts(
        event=EventKind.HELD,
        has_lapsed=True,
        spot=SpotUse.NEVER,
        allows=ENTRY,
        figure=Figure.LAPSED,
        outcome=Outcome.LAPSED,
        tone=Tone.BAD,
    ),
    SpotState.SCREENING: StateFacts(
        event=EventKind.SCREENING,
        spot=SpotUse.ALWAYS,
        allows=frozenset({Action.ENROLL, Action.SCREEN_FAILURE, Action.RELEASE}),
        figure=Figure.SCREENING,
        outcome=Outcome.OPEN,
        tone=Tone.GOOD,
    ),
    SpotState.SCREEN_FAILED: StateFacts(
        event=EventKind.SCREEN_FAILED,
        spot=SpotUse.UNLESS_KEPT,
        allows=ENTRY,
        figure=Figure.SCREEN_FAILED,
        outcome=Outcome.SCREEN_FAILED,
        tone=Tone.BAD,
    ),
    SpotState.ENROLLED: StateFacts(
        event=EventKind.ENROLLED,
        spot=SpotUse.ALWAYS,
        allows=frozenset({Action.WITHDRAW}),
        figure=Figure.ENROLLED,
        outcome=Outcome.ENROLLED,
        is_participant=True,
        tone=Tone.GOOD,
    ),
    SpotState.WITHDRAWN: StateFacts(
        event=EventKind.WITHDRAWN,
        spot=SpotUse.UNLESS_GIVEN_BACK,
        allows=frozenset(),
        figure=Figure.WITHDRAWN,
        outcome=Outcome.WITHDRAWN,
        is_participant=True,
        tone=Tone.BAD,
    ),
    SpotState.RELEASED: StateFacts(
        event=EventKind.RELEASED,
        spot=SpotUse.NEVER,
        allows=ENTRY,
        figure=Figure.RELEASED,
        outcome=Outcome.RELEASED,
    ),
}

ACTIONS: Mapping[Action, ActionFacts] = {
    Action.PLACE_HOLD: ActionFacts(event=EventKind.HELD, text="Hold a spot for a limited time."),
    Action.JOIN_WAITING_LIST: ActionFacts(event=EventKind.WAITING, text="Join the waiting list."),
    Action.ACCEPT_OFFER: ActionFacts(
        event=EventKind.HELD,
        command="accept",
        path="acceptance",
        text="Accept an offer from the waiting list. It becomes a hold.",
        checks_open=True,
    ),
    Action.START_SCREENING: ActionFacts(
        event=EventKind.SCREENING,
        command="screen",
        path="screening",
        text="Start screening. The spot is kept until screening ends.",
    ),
    Action.ENROLL: ActionFacts(
        event=EventKind.ENROLLED,
        command="enroll",
        path="enrollment",
        text="Enroll a referral that passed screening.",
        is_final=True,
    ),
    Action.SCREEN_FAILURE: ActionFacts(
        event=EventKind.SCREEN_FAILED,
        command="screen-failure",
        path="screen-failure",
        text="Record that screening failed. The study's rules decide whether the spot becomes free.",
        reasons=ScreenFailureReason,
        is_final=True,
    ),
    Action.WITHDRAW: ActionFacts(
        event=EventKind.WITHDRAWN,
        command="withdraw",
        path="withdrawal",
        text="Record that a participant left. The study's rules decide whether the spot becomes free.",
        reasons=WithdrawalReason,
        is_final=True,
    ),
    Action.RELEASE: ActionFacts(
        event=EventKind.RELEASED,
        command="release",
        path="release",
        text="Give the spot back, decline an offer, or leave the waiting list.",
        is_final=True,
    ),
}

MOVES = tuple(action for action in Action if action not in ENTRY)
"""Actions on a referral that has begun an attempt, in their usual order."""

FINAL = frozenset(action for action in MOVES if ACTIONS[action].is_final)
"""Actions that cannot be undone, so that pages ask for confirmation."""

BY_POLICY = frozenset(
    state for state, facts in STATES.items() if facts.spot in (SpotUse.UNLESS_KEPT, SpotUse.UNLESS_GIVEN_BACK)
)
"""States for which a study's policy says whether they release the spot."""

GIVES_BACK_BY_DEFAULT = frozenset(state for state, facts in STATES.items() if facts.spot is SpotUse.UNLESS_KEPT)
"""Those of `BY_POLICY` that release the spot by default."""

ENDED = frozenset(
    state for state, facts in STATES.items() if facts.allows >= ENTRY and facts.outcome is not Outcome.OPEN
)
"""States in which an attempt has ended and the referral can begin another."""

UNDER_WAY = frozenset(
    state for state, facts in STATES.items() if facts.spot is SpotUse.ALWAYS and not facts.is_participant
)
"""States that use a spot before enrolment."""

PARTICIPANTS = frozenset(state for state, facts in STATES.items() if facts.is_participant)
"""States of people who were enrolled."""

_LAPSED = {facts.event: state for state, facts in STATES.items() if facts.has_lapsed}
_LASTING = {facts.event: state for state, facts in STATES.items() if not facts.has_lapsed}

LAPSING_KINDS = tuple(sorted(_LAPSED))
"""Events that stop counting at their `expires_at`."""

REFERRAL_KINDS = tuple(sorted(_LASTING))
"""Events that change a referral."""

SPOT_KINDS = tuple(sorted({facts.event for facts in STATES.values() if facts.spot is not SpotUse.NEVER}))
"""Latest events of referrals that may use a spot."""


def state_of(kind: EventKind, *, has_lapsed: bool) -> SpotState:
    """Return the state of a referral after its latest event.

    Parameters
    ----------
    kind
        One of `REFERRAL_KINDS`.
    has_lapsed
        Whether its `expires_at` has passed; ignored for events without it.

    Raises
    ------
    KeyError
        If the event does not belong to a referral.
    """
    if has_lapsed and kind in _LAPSED:
        return _LAPSED[kind]
    return _LASTING[kind]


def states_with(figure: Figure) -> tuple[SpotState, ...]:
    """Return the states that a capacity figure counts, in the order of `SpotState`."""
    return tuple(state for state in SpotState if STATES[state].figure is figure)
