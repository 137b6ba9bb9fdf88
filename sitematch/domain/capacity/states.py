"""The table of a referral's states: whether each takes a spot, what can follow it, and where it is counted.

::

    (none) ── join_waiting_list ──> WAITING ──(a spot is freed)──> OFFERED ── accept_offer ──┐
      └────────────────────── place_hold ──────────────────────────────────────────────> HELD
    HELD ── start_screening ──> SCREENING ── enroll ──> ENROLLED ── withdraw ──> WITHDRAWN
                                    └── screen_failure ──> SCREEN_FAILED
    release: from WAITING, OFFERED, HELD and SCREENING ──> RELEASED
    correct: SCREENING ──> HELD, ENROLLED or SCREEN_FAILED ──> SCREENING, WITHDRAWN ──> ENROLLED
    extend_hold, transfer: HELD ──> HELD; transfer: WAITING ──> WAITING
    EXPIRED and OFFER_LAPSED are not events: HELD and OFFERED become these states when `now` reaches
    `expires_at`.

The ledger, the waiting list, the feed, the capacity report, the funnel, the forecast, the console, the API and the
command line all read `STATES` and `ACTIONS`. To add a state, add it here and give it a label for the console; a test
checks both tables. Some events leave a referral in the state of another event: `STANDS_AS` says which.

A referral that was released, lapsed or failed screening can be held or wait again (rescreening is common). A referral
that withdrew cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from sitematch.domain.capacity.reasons import CorrectionReason, Reasons, ScreenFailureReason, WithdrawalReason


class EventKind(StrEnum):
    """Events in the ledger: about a referral, from CAP_SET on about a study's rules, and the last two about a site."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    SCREENING = "SCREENING"
    SCREEN_FAILED = "SCREEN_FAILED"
    ENROLLED = "ENROLLED"
    WITHDRAWN = "WITHDRAWN"
    WAITING = "WAITING"
    OFFERED = "OFFERED"
    HOLD_EXTENDED = "HOLD_EXTENDED"
    TRANSFERRED = "TRANSFERRED"
    WAIT_TRANSFERRED = "WAIT_TRANSFERRED"
    SCREENING_UNDONE = "SCREENING_UNDONE"
    ENROLLMENT_UNDONE = "ENROLLMENT_UNDONE"
    SCREEN_FAILURE_UNDONE = "SCREEN_FAILURE_UNDONE"
    WITHDRAWAL_UNDONE = "WITHDRAWAL_UNDONE"
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
    EXTEND_HOLD = "extend_hold"
    TRANSFER = "transfer"
    RELEASE = "release"
    CORRECT = "correct"


class Needs(StrEnum):
    """What an action needs besides the referral and a reason."""

    HOURS = "hours"
    """How much longer; without it, the study's policy decides."""
    SITE = "site"
    """The new site."""


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
        The latest event of a referral in this state, or the one that its latest event stands for (`STANDS_AS`).
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
    transferred, corrected
        The events of the actions TRANSFER and CORRECT in this state; None if it does not allow them.
    """

    event: EventKind
    spot: SpotUse
    allows: frozenset[Action]
    figure: Figure | None
    outcome: Outcome
    has_lapsed: bool = False
    is_participant: bool = False
    tone: Tone = Tone.NEUTRAL
    transferred: EventKind | None = None
    corrected: EventKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """An action on a referral, with its names for people and programs.

    Parameters
    ----------
    event
        The event that the action writes; None if it depends on the state (see `event_of`).
    command, path
        Its name on the command line, and the last part of its URL under ``/v1/referrals/{id}/``. None for the two
        actions that begin an attempt, which have their own commands and URLs.
    text
        The effect, in one sentence.
    reasons
        The reason codes, one of which is required; None if it needs no reason.
    needs
        What else it takes; None if nothing.
    asks_first
        Whether pages ask for confirmation, because it ends something or needs a reason.
    checks_open
        Whether the site must still be taking patients.
    """

    text: str
    event: EventKind | None = None
    command: str | None = None
    path: str | None = None
    reasons: Reasons | None = None
    needs: Needs | None = None
    asks_first: bool = False
    checks_open: bool = False


ENTRY = frozenset({Action.PLACE_HOLD, Action.JOIN_WAITING_LIST})
"""Actions that begin an attempt: the only ones for a referral that is not in the ledger."""

STATES: Mapping[SpotState, StateFacts] = {
    SpotState.WAITING: StateFacts(
        event=EventKind.WAITING,
        spot=SpotUse.NEVER,
        allows=frozenset({Action.PLACE_HOLD, Action.TRANSFER, Action.RELEASE}),
        figure=None,
        outcome=Outcome.OPEN,
        transferred=EventKind.WAIT_TRANSFERRED,
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
        allows=frozenset({Action.START_SCREENING, Action.EXTEND_HOLD, Action.TRANSFER, Action.RELEASE}),
        figure=Figure.HELD,
        outcome=Outcome.OPEN,
        tone=Tone.CAUTION,
        transferred=EventKind.TRANSFERRED,
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
        allows=frozenset({Action.ENROLL, Action.SCREEN_FAILURE, Action.RELEASE, Action.CORRECT}),
        figure=Figure.SCREENING,
        outcome=Outcome.OPEN,
        tone=Tone.GOOD,
        corrected=EventKind.SCREENING_UNDONE,
    ),
    SpotState.SCREEN_FAILED: StateFacts(
        event=EventKind.SCREEN_FAILED,
        spot=SpotUse.UNLESS_KEPT,
        allows=ENTRY | {Action.CORRECT},
        figure=Figure.SCREEN_FAILED,
        outcome=Outcome.SCREEN_FAILED,
        tone=Tone.BAD,
        corrected=EventKind.SCREEN_FAILURE_UNDONE,
    ),
    SpotState.ENROLLED: StateFacts(
        event=EventKind.ENROLLED,
        spot=SpotUse.ALWAYS,
        allows=frozenset({Action.WITHDRAW, Action.CORRECT}),
        figure=Figure.ENROLLED,
        outcome=Outcome.ENROLLED,
        is_participant=True,
        tone=Tone.GOOD,
        corrected=EventKind.ENROLLMENT_UNDONE,
    ),
    SpotState.WITHDRAWN: StateFacts(
        event=EventKind.WITHDRAWN,
        spot=SpotUse.UNLESS_GIVEN_BACK,
        allows=frozenset({Action.CORRECT}),
        figure=Figure.WITHDRAWN,
        outcome=Outcome.WITHDRAWN,
        is_participant=True,
        tone=Tone.BAD,
        corrected=EventKind.WITHDRAWAL_UNDONE,
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
    Action.EXTEND_HOLD: ActionFacts(
        event=EventKind.HOLD_EXTENDED,
        command="extend",
        path="extension",
        text="Extend a hold. The study's rules say by how much a hold may be extended in all.",
        needs=Needs.HOURS,
    ),
    Action.TRANSFER: ActionFacts(
        command="transfer",
        path="transfer",
        text="Move a hold, or a place on the waiting list, to another site. A hold keeps its lapse, a place its rank.",
        needs=Needs.SITE,
        asks_first=True,
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
        asks_first=True,
    ),
    Action.SCREEN_FAILURE: ActionFacts(
        event=EventKind.SCREEN_FAILED,
        command="screen-failure",
        path="screen-failure",
        text="Record that screening failed. The study's rules decide whether the spot becomes free.",
        reasons=ScreenFailureReason,
        asks_first=True,
    ),
    Action.WITHDRAW: ActionFacts(
        event=EventKind.WITHDRAWN,
        command="withdraw",
        path="withdrawal",
        text="Record that a participant left. The study's rules decide whether the spot becomes free.",
        reasons=WithdrawalReason,
        asks_first=True,
    ),
    Action.RELEASE: ActionFacts(
        event=EventKind.RELEASED,
        command="release",
        path="release",
        text="Give the spot back, decline an offer, or leave the waiting list.",
        asks_first=True,
    ),
    Action.CORRECT: ActionFacts(
        command="correct",
        path="correction",
        text="Take back a step that was recorded by mistake. The step and its correction stay in the history.",
        reasons=CorrectionReason,
        asks_first=True,
    ),
}

MOVES = tuple(action for action in Action if action not in ENTRY)
"""Actions on a referral that has begun an attempt, in their usual order."""

ASKED_FIRST = frozenset(action for action in MOVES if ACTIONS[action].asks_first)
"""Actions that pages ask about before they do them."""

STANDS_AS: Mapping[EventKind, EventKind] = {
    EventKind.HOLD_EXTENDED: EventKind.HELD,
    EventKind.TRANSFERRED: EventKind.HELD,
    EventKind.WAIT_TRANSFERRED: EventKind.WAITING,
    EventKind.SCREENING_UNDONE: EventKind.HELD,
    EventKind.ENROLLMENT_UNDONE: EventKind.SCREENING,
    EventKind.SCREEN_FAILURE_UNDONE: EventKind.SCREENING,
    EventKind.WITHDRAWAL_UNDONE: EventKind.ENROLLED,
}
"""Events after which a referral is where another event would have brought it, with that event."""

CORRECTIONS: Mapping[EventKind, EventKind] = {
    facts.corrected: facts.event for facts in STATES.values() if facts.corrected is not None
}
"""Events that take back a step, with the event of that step."""

HOLD_STARTS = tuple(sorted({EventKind.HELD} | {kind for kind in CORRECTIONS if STANDS_AS[kind] is EventKind.HELD}))
"""Events that begin a hold: its extensions are counted from there."""

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

LAPSING_KINDS = tuple(sorted({*_LAPSED, *(kind for kind, other in STANDS_AS.items() if other in _LAPSED)}))
"""Events that stop counting at their `expires_at`."""

REFERRAL_KINDS = tuple(sorted({*_LASTING, *STANDS_AS}))
"""Events that change a referral."""

SPOT_KINDS = tuple(sorted({facts.event for facts in STATES.values() if facts.spot is not SpotUse.NEVER}))
"""Latest events of referrals that may use a spot, by what they stand for."""


def standing(kind: EventKind) -> EventKind:
    """Return the event that a referral's event stands for: itself, unless `STANDS_AS` names another."""
    return STANDS_AS.get(kind, kind)


def event_of(action: Action, state: SpotState) -> EventKind:
    """Return the event that an action writes in a state that allows it.

    Raises
    ------
    KeyError
        If the state does not allow it.
    """
    facts = STATES[state]
    found = {Action.TRANSFER: facts.transferred, Action.CORRECT: facts.corrected}.get(action, ACTIONS[action].event)
    if found is None:
        raise KeyError(action)
    return found


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
    stands_as = standing(kind)
    if has_lapsed and stands_as in _LAPSED:
        return _LAPSED[stands_as]
    return _LASTING[stands_as]


def states_with(figure: Figure) -> tuple[SpotState, ...]:
    """Return the states that a capacity figure counts, in the order of `SpotState`."""
    return tuple(state for state in SpotState if STATES[state].figure is figure)
