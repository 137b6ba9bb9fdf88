"""A referral's attempts to get a spot: from the first hold or wait to the outcome.

A referral that was released, lapsed or failed screening can return. Each time is a separate attempt, so that a
rescreening is counted correctly. Within an attempt, waiting, an offer, a hold, screening and enrolment follow one
another in that order; some steps can be missing. A step that was taken back does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sitematch.domain.capacity.spot import state_at
from sitematch.domain.capacity.states import CORRECTIONS, ENDED, EventKind, SpotState, state_of


class AttemptStep(msgspec.Struct, frozen=True, gc=False):
    """The part of a referral's event that attempts need; see `LedgerEvent`."""

    kind: EventKind
    at: datetime
    site_id: str | None = None
    country: str | None = None
    expires_at: datetime | None = None
    reason: str | None = None


class Attempt(msgspec.Struct, kw_only=True, gc=False):
    """One attempt to get a spot.

    Parameters
    ----------
    number
        1 is the referral's first.
    started_at
        Its first event (aware, UTC).
    state
        Its outcome or current state.
    site_id, country
        The site; None if it only waited.
    waited_at, offered_at, held_at, screened_at, enrolled_at
        When it reached each step; None if it never did.
    reason
        Why screening failed or the participant left, as a code.
    """

    number: int
    started_at: datetime
    state: SpotState
    site_id: str | None = None
    country: str | None = None
    waited_at: datetime | None = None
    offered_at: datetime | None = None
    held_at: datetime | None = None
    screened_at: datetime | None = None
    enrolled_at: datetime | None = None
    reason: str | None = None


def attempts_in(steps: Sequence[AttemptStep], as_of: datetime) -> tuple[Attempt, ...]:
    """Split a referral's events into attempts.

    Parameters
    ----------
    steps
        All its events up to `as_of`, oldest first.
    as_of
        The time that decides whether the last hold or offer has lapsed.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    >>> held = AttemptStep(EventKind.HELD, noon, "a", "US", noon + timedelta(hours=48))
    >>> again = AttemptStep(EventKind.HELD, noon + timedelta(days=3), "b", "US", noon + timedelta(days=5))
    >>> [(attempt.site_id, attempt.state.value) for attempt in attempts_in([held, again], noon + timedelta(days=4))]
    [('a', 'EXPIRED'), ('b', 'HELD')]
    """
    found: list[Attempt] = []
    last: AttemptStep | None = None
    for step in steps:
        if last is not None:
            found[-1].state = state_at(last.kind, last.expires_at, step.at)
        if last is None or (found[-1].state in ENDED and step.kind not in CORRECTIONS):
            state = state_of(step.kind, has_lapsed=False)
            found.append(Attempt(number=len(found) + 1, started_at=step.at, state=state))
        _note(found[-1], step)
        last = step
    if last is not None:
        found[-1].state = state_at(last.kind, last.expires_at, as_of)
    return tuple(found)


def _note(attempt: Attempt, step: AttemptStep) -> None:
    if step.site_id is not None:
        attempt.site_id, attempt.country = step.site_id, step.country
    attempt.reason = None if step.kind in CORRECTIONS else step.reason
    match step.kind:
        case EventKind.WAITING:
            attempt.waited_at = step.at
        case EventKind.OFFERED:
            attempt.offered_at = step.at
        case EventKind.HELD:
            attempt.held_at = step.at
        case EventKind.SCREENING:
            attempt.screened_at = step.at
        case EventKind.ENROLLED:
            attempt.enrolled_at = step.at
        case EventKind.SCREENING_UNDONE:
            attempt.screened_at = None
        case EventKind.ENROLLMENT_UNDONE:
            attempt.enrolled_at = None
