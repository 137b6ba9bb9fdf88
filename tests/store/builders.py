"""Test values; every builder takes the relevant fields and fills in the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sitematch.domain.accounts.access import Actor, Caller
from sitematch.domain.capacity.caps import CapKey, CapLevel, CapUsage, SiteCapacity
from sitematch.domain.capacity.reasons import CorrectionReason, ScreenFailureReason, WithdrawalReason
from sitematch.domain.capacity.spot import Referral, SpotPolicy
from sitematch.domain.capacity.states import Action, SpotState
from sitematch.domain.studies.site import Site
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.store.capacity import counting, ledger, rules, waiting
from sitematch.store.engine import Store
from sitematch.store.studies.catalogue import replace_study

STUDY_ID = "NCT00000001"


def make_study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "study_id": STUDY_ID,
        "title": "A study of lupus nephritis",
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 2),
        "source": "made for tests",
    }
    return Study(**{**values, **changes})


def make_site(site_id: str = "site-1", **changes: Any) -> Site:
    values: dict[str, Any] = {
        "site_id": site_id,
        "study_id": STUDY_ID,
        "source_study": STUDY_ID,
        "facility": "General Hospital",
        "city": "Portland",
        "country": "US",
        "status": RecruitmentStatus.RECRUITING,
        "as_of_on": date(2026, 1, 2),
    }
    return Site(**{**values, **changes})


NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
STUDY = CapKey(level=CapLevel.STUDY)


def site_key(site_id: str = "site-1") -> CapKey:
    return CapKey(level=CapLevel.SITE, scope=site_id)


def country_key(country: str) -> CapKey:
    return CapKey(level=CapLevel.COUNTRY, scope=country)


def arm_key(arm: str) -> CapKey:
    return CapKey(level=CapLevel.ARM, scope=arm)


def make_caller(key: str | None = None, actor_id: str = "user:ann") -> Caller:
    return Caller(actor=Actor(actor_id=actor_id), request_id="request-1", idempotency_key=key)


class Coordinator:
    """A coordinator of one study, with a clock that the test controls."""

    def __init__(self, store: Store, *, sites: Sequence[Site] = (), study: Study | None = None) -> None:
        self.store = store
        self.study_id = (study or make_study()).study_id
        self.now = NOW
        self.caller = make_caller()
        replace_study(store, study or make_study(), sites or [make_site("site-1"), make_site("site-2")])

    def cap(self, spots: int | None, key: CapKey = STUDY) -> CapUsage:
        return rules.set_cap(self.store, self.caller, study_id=self.study_id, key=key, spots=spots, now=self.now)

    def close(self, key: CapKey) -> CapUsage:
        return rules.close(self.store, self.caller, study_id=self.study_id, key=key, now=self.now)

    def reopen(self, key: CapKey) -> CapUsage:
        return rules.reopen(self.store, self.caller, study_id=self.study_id, key=key, now=self.now)

    def policy(self, **changes: Any) -> SpotPolicy:
        return rules.set_policy(
            self.store, self.caller, study_id=self.study_id, policy=SpotPolicy(**changes), now=self.now
        )

    def hold(self, referral_id: str, site_id: str = "site-1", **changes: Any) -> Referral:
        caller = changes.pop("caller", self.caller)
        return ledger.place_hold(
            self.store,
            caller,
            study_id=self.study_id,
            site_id=site_id,
            referral_id=referral_id,
            now=self.now,
            **changes,
        )

    def move(self, action: Action, referral_id: str, reason: str | None = None, **needs: Any) -> Referral:
        return ledger.move(
            self.store, self.caller, action=action, referral_id=referral_id, reason=reason, now=self.now, **needs
        )

    def extend(self, referral_id: str, hours: float | None = None) -> Referral:
        return self.move(Action.EXTEND_HOLD, referral_id, hours=hours)

    def transfer(self, referral_id: str, site_id: str) -> Referral:
        return self.move(Action.TRANSFER, referral_id, site_id=site_id)

    def correct(self, referral_id: str, reason: CorrectionReason = CorrectionReason.WRONG_STEP) -> Referral:
        return self.move(Action.CORRECT, referral_id, reason)

    def screen(self, referral_id: str) -> Referral:
        return self.move(Action.START_SCREENING, referral_id)

    def enroll(self, referral_id: str) -> Referral:
        return self.move(Action.ENROLL, referral_id)

    def release(self, referral_id: str) -> Referral:
        return self.move(Action.RELEASE, referral_id)

    def fail(self, referral_id: str, reason: ScreenFailureReason = ScreenFailureReason.LABORATORY) -> Referral:
        return self.move(Action.SCREEN_FAILURE, referral_id, reason)

    def withdraw(self, referral_id: str) -> Referral:
        reason = WithdrawalReason.ADVERSE_EVENT
        return self.move(Action.WITHDRAW, referral_id, reason)

    def wait(self, referral_id: str, *site_ids: str, **changes: Any) -> Referral:
        return waiting.join_waiting_list(
            self.store,
            self.caller,
            study_id=self.study_id,
            referral_id=referral_id,
            site_ids=site_ids or ("site-1",),
            now=self.now,
            **changes,
        )

    def accept(self, referral_id: str) -> Referral:
        return self.move(Action.ACCEPT_OFFER, referral_id)

    def state(self, referral_id: str) -> SpotState:
        return counting.read_referral(self.store, referral_id, self.now).state

    def site(self, site_id: str = "site-1", **changes: Any) -> SiteCapacity:
        found = counting.capacity(self.store, self.study_id, self.now, **changes)
        return next(item for item in found if item.site_id == site_id)

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)
