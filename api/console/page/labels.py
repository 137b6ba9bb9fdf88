"""The console's labels for codes of the ledger and the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from sitematch.domain.accounts.access import Permission, Role
from sitematch.domain.accounts.change import AccountChangeKind
from sitematch.domain.capacity.caps import CapacityState, CapLevel
from sitematch.domain.capacity.reasons import ClosureReason, CorrectionReason, ScreenFailureReason, WithdrawalReason
from sitematch.domain.capacity.states import Action, EventKind, SpotState
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.travel import TravelCertainty, TravelKind

CAPACITY: Mapping[CapacityState, Any] = {
    CapacityState.CAPACITY: _("Spots left"),
    CapacityState.WAITLIST: _("Full: waiting list"),
    CapacityState.NO_CAPACITY: _("Closed"),
    CapacityState.UNKNOWN: _("No cap known"),
}

STATES: Mapping[SpotState, Any] = {
    SpotState.WAITING: _("Waiting"),
    SpotState.OFFERED: _("Offered a spot"),
    SpotState.OFFER_LAPSED: _("Offer lapsed"),
    SpotState.HELD: _("Spot held"),
    SpotState.EXPIRED: _("Hold lapsed"),
    SpotState.SCREENING: _("In screening"),
    SpotState.SCREEN_FAILED: _("Screening failed"),
    SpotState.ENROLLED: _("Enrolled"),
    SpotState.WITHDRAWN: _("Left the study"),
    SpotState.RELEASED: _("Spot given back"),
}

ACTIONS: Mapping[Action, Any] = {
    Action.PLACE_HOLD: _("Hold a spot"),
    Action.JOIN_WAITING_LIST: _("Join the waiting list"),
    Action.ACCEPT_OFFER: _("Accept the offer"),
    Action.EXTEND_HOLD: _("Extend the hold"),
    Action.TRANSFER: _("Move to another site"),
    Action.START_SCREENING: _("Start screening"),
    Action.ENROLL: _("Enroll"),
    Action.SCREEN_FAILURE: _("Screening failed"),
    Action.WITHDRAW: _("Left the study"),
    Action.RELEASE: _("Give the spot back"),
    Action.CORRECT: _("Take the last step back"),
}

RELEASES: Mapping[SpotState, Any] = {
    SpotState.WAITING: _("Leave the waiting list"),
    SpotState.OFFERED: _("Decline the offer"),
}
"""What giving back is called where there is no spot yet."""

CORRECTIONS: Mapping[SpotState, Any] = {
    SpotState.SCREENING: _("Screening started by mistake"),
    SpotState.SCREEN_FAILED: _("Screening failure recorded by mistake"),
    SpotState.ENROLLED: _("Enrolled by mistake"),
    SpotState.WITHDRAWN: _("Left the study: recorded by mistake"),
}
"""What taking back a step is called, by the state that the step led to."""


def action_label(action: Action, state: SpotState) -> Any:
    """Return what an action is called for a referral in a state."""
    special = {Action.RELEASE: RELEASES, Action.CORRECT: CORRECTIONS}.get(action, {})
    return special.get(state, ACTIONS[action])


EVENTS: Mapping[EventKind, Any] = {
    EventKind.HELD: _("Spot held"),
    EventKind.RELEASED: _("Spot given back"),
    EventKind.SCREENING: _("Screening started"),
    EventKind.SCREEN_FAILED: _("Screening failed"),
    EventKind.ENROLLED: _("Enrolled"),
    EventKind.WITHDRAWN: _("Left the study"),
    EventKind.WAITING: _("Joined the waiting list"),
    EventKind.OFFERED: _("Offered a spot"),
    EventKind.HOLD_EXTENDED: _("Hold extended"),
    EventKind.TRANSFERRED: _("Moved to another site"),
    EventKind.WAIT_TRANSFERRED: _("Waits for another site"),
    EventKind.SCREENING_UNDONE: _("Start of screening taken back"),
    EventKind.ENROLLMENT_UNDONE: _("Enrolment taken back"),
    EventKind.SCREEN_FAILURE_UNDONE: _("Screening failure taken back"),
    EventKind.WITHDRAWAL_UNDONE: _("Withdrawal taken back"),
    EventKind.CAP_SET: _("Cap set"),
    EventKind.CLOSED: _("Closed"),
    EventKind.OPENED: _("Reopened"),
    EventKind.POLICY_SET: _("Rules set"),
    EventKind.TRAVEL_SET: _("Travel support set"),
    EventKind.OPENING_SET: _("Opening day set"),
}

REASONS: Mapping[str, Any] = {
    ScreenFailureReason.INCLUSION_NOT_MET: _("An inclusion criterion is not met"),
    ScreenFailureReason.EXCLUSION_MET: _("An exclusion criterion is met"),
    ScreenFailureReason.LABORATORY: _("Laboratory values"),
    ScreenFailureReason.CONSENT_WITHDRAWN: _("Consent withdrawn"),
    ScreenFailureReason.LOST_TO_FOLLOW_UP: _("Lost to follow-up"),
    ScreenFailureReason.TRAVEL: _("Travel"),
    ScreenFailureReason.INVESTIGATOR_DECISION: _("The investigator's decision"),
    ScreenFailureReason.SPONSOR_DECISION: _("The sponsor's decision"),
    WithdrawalReason.ADVERSE_EVENT: _("Adverse event"),
    WithdrawalReason.LACK_OF_EFFICACY: _("Lack of efficacy"),
    WithdrawalReason.PROTOCOL_DEVIATION: _("Protocol deviation"),
    WithdrawalReason.PREGNANCY: _("Pregnancy"),
    WithdrawalReason.DEATH: _("Death"),
    CorrectionReason.WRONG_REFERRAL: _("It was meant for another referral"),
    CorrectionReason.WRONG_STEP: _("The wrong step was chosen"),
    CorrectionReason.DID_NOT_HAPPEN: _("It did not happen"),
    ScreenFailureReason.OTHER: _("Another reason"),
}

CLOSURES: Mapping[ClosureReason, Any] = {
    ClosureReason.ENROLLMENT_COMPLETE: _("Enrolment is complete"),
    ClosureReason.STAFF: _("Not enough staff"),
    ClosureReason.SUPPLY: _("No study drug or material"),
    ClosureReason.SAFETY: _("Safety"),
    ClosureReason.REGULATOR_DECISION: _("A decision of the regulator or ethics committee"),
    ClosureReason.SPONSOR_DECISION: _("The sponsor's decision"),
    ClosureReason.OTHER: _("Another reason"),
}

LEVELS: Mapping[CapLevel, Any] = {
    CapLevel.STUDY: _("Whole study"),
    CapLevel.COUNTRY: _("Country"),
    CapLevel.ARM: _("Arm"),
    CapLevel.SITE: _("Site"),
}

STATUSES: Mapping[RecruitmentStatus, Any] = {
    RecruitmentStatus.RECRUITING: _("Recruiting"),
    RecruitmentStatus.ENROLLING_BY_INVITATION: _("Enrolling by invitation"),
    RecruitmentStatus.NOT_YET_RECRUITING: _("Not yet recruiting"),
    RecruitmentStatus.ACTIVE_NOT_RECRUITING: _("Active, not recruiting"),
    RecruitmentStatus.COMPLETED: _("Completed"),
    RecruitmentStatus.SUSPENDED: _("Suspended"),
    RecruitmentStatus.TERMINATED: _("Terminated"),
    RecruitmentStatus.WITHDRAWN: _("Withdrawn"),
    RecruitmentStatus.AVAILABLE: _("Available"),
    RecruitmentStatus.NO_LONGER_AVAILABLE: _("No longer available"),
    RecruitmentStatus.TEMPORARILY_NOT_AVAILABLE: _("Temporarily not available"),
    RecruitmentStatus.APPROVED_FOR_MARKETING: _("Approved for marketing"),
    RecruitmentStatus.WITHHELD: _("Withheld"),
    RecruitmentStatus.UNKNOWN: _("Unknown"),
}

TRAVEL: Mapping[TravelCertainty, Any] = {
    TravelCertainty.COVERED: _("Covered"),
    TravelCertainty.MAY_BE_COVERED: _("May be covered"),
    TravelCertainty.UNKNOWN: _("Not known"),
    TravelCertainty.NOT_COVERED: _("Not covered"),
}

TRAVEL_KINDS: Mapping[TravelKind, Any] = {
    TravelKind.MILEAGE: _("Mileage"),
    TravelKind.PARKING: _("Parking"),
    TravelKind.TRANSIT: _("Bus and train"),
    TravelKind.RIDE: _("Taxi or ride"),
    TravelKind.AIRFARE: _("Flights"),
    TravelKind.LODGING: _("Lodging"),
    TravelKind.MEALS: _("Meals"),
    TravelKind.COMPANION: _("A companion's costs"),
}

ROLES: Mapping[Role, Any] = {
    Role.VIEWER: _("Viewer"),
    Role.SITE_COORDINATOR: _("Site coordinator"),
    Role.STUDY_MANAGER: _("Study manager"),
    Role.ADMINISTRATOR: _("Administrator"),
}

SCOPES: Mapping[Permission, Any] = {
    Permission.CAPACITY_READ: _("Read capacity"),
    Permission.REFERRALS_READ: _("Read referrals"),
    Permission.REFERRALS_WRITE: _("Hold spots and move referrals"),
    Permission.WAITING_LIST_WRITE: _("Join the waiting list"),
    Permission.REPORTS_READ: _("Read reports"),
    Permission.AUDIT_READ: _("Read the audit trail"),
    Permission.CAPS_WRITE: _("Set caps and rules"),
    Permission.CATALOGUE_WRITE: _("Change sites and studies"),
    Permission.WEBHOOKS_WRITE: _("Manage webhooks"),
    Permission.ACCOUNTS_WRITE: _("Manage accounts"),
}

ACCOUNT_CHANGES: Mapping[AccountChangeKind, Any] = {
    AccountChangeKind.CREATED: _("Account created"),
    AccountChangeKind.INVITED: _("Invited"),
    AccountChangeKind.ROLE_GIVEN: _("Role added"),
    AccountChangeKind.ROLE_REMOVED: _("Role removed"),
    AccountChangeKind.PASSWORD_SET: _("Password set"),
    AccountChangeKind.DISABLED: _("Account disabled"),
}

WORDS: Mapping[str, Mapping[Any, Any]] = {
    "capacity": CAPACITY,
    "state": STATES,
    "action": ACTIONS,
    "event": EVENTS,
    "reason": REASONS,
    "closure": CLOSURES,
    "level": LEVELS,
    "status": STATUSES,
    "travel": TRAVEL,
    "travel_kind": TRAVEL_KINDS,
    "role": ROLES,
    "account_change": ACCOUNT_CHANGES,
    "scope": SCOPES,
}
"""For templates: the labels of codes, by kind of code; a test checks every code."""
