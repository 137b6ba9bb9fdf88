"""The travel support of a study or site."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_REIMBURSEMENT = 200
"""The longest text on time reimbursement, in characters."""


class TravelCertainty(StrEnum):
    """How certain it is that travel is paid, best first; the order of the members is the order of ranking."""

    COVERED = "COVERED"
    MAY_BE_COVERED = "MAY_BE_COVERED"
    UNKNOWN = "UNKNOWN"
    NOT_COVERED = "NOT_COVERED"


TRAVEL_ORDER: dict[TravelCertainty, int] = {certainty: i for i, certainty in enumerate(TravelCertainty)}
"""Rank of each certainty: 0 is best."""


class TravelKind(StrEnum):
    """Kinds of travel costs."""

    MILEAGE = "MILEAGE"
    PARKING = "PARKING"
    TRANSIT = "TRANSIT"
    RIDE = "RIDE"
    AIRFARE = "AIRFARE"
    LODGING = "LODGING"
    MEALS = "MEALS"
    COMPANION = "COMPANION"


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelSupport:
    """Which travel costs are paid, and how certain that is.

    Parameters
    ----------
    certainty
        Whether travel is paid.
    kinds
        What is paid, in the order of `TravelKind`; empty if not stated.
    """

    certainty: TravelCertainty = TravelCertainty.UNKNOWN
    kinds: tuple[TravelKind, ...] = ()
