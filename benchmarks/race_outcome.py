"""What came of one attempt to take a spot: shared by the race and by those who run in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RaceOutcome:
    """What one attempt came to: sold, or why not; and how often it was told to come again."""

    referral_id: str
    is_sold: bool
    why: str
    retries: int
