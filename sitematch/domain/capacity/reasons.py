"""Reasons of actions on a referral: codes, never free text, so that they cannot contain patient data."""

from __future__ import annotations

from enum import StrEnum


class ScreenFailureReason(StrEnum):
    """Why screening failed."""

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
    """Why a participant left."""

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


class CorrectionReason(StrEnum):
    """Why a step is taken back."""

    WRONG_REFERRAL = "WRONG_REFERRAL"
    WRONG_STEP = "WRONG_STEP"
    DID_NOT_HAPPEN = "DID_NOT_HAPPEN"
    OTHER = "OTHER"


class ClosureReason(StrEnum):
    """Why a part of a study takes no more patients."""

    ENROLLMENT_COMPLETE = "ENROLLMENT_COMPLETE"
    STAFF = "STAFF"
    SUPPLY = "SUPPLY"
    SAFETY = "SAFETY"
    REGULATOR_DECISION = "REGULATOR_DECISION"
    SPONSOR_DECISION = "SPONSOR_DECISION"
    OTHER = "OTHER"


Reasons = type[ScreenFailureReason] | type[WithdrawalReason] | type[CorrectionReason]
"""The reasons of one action."""
