"""A study in use, and people who are signed in to its console."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from sitematch.domain.accounts.access import Actor, Caller, Grant, Role
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.domain.capacity.states import Action
from sitematch.services.capacity import coordinating
from sitematch.store.accounts import accounts, tokens
from sitematch.store.capacity import ledger, rules, waiting
from tests.browser.served import Served

STUDY_ID = "NCT06064929"
NEAR_MIAMI = f"{STUDY_ID}-039"
PASSWORD = "correct horse battery"
SETUP = Caller(actor=Actor(actor_id="cli:setup", grants=(Grant(role=Role.ADMINISTRATOR),)), request_id="setup")


class ConsoleBrowser:
    """The service with some accounts, referrals in every state, and a full site.

    Parameters
    ----------
    served
        A separate new installation.
    """

    def __init__(self, served: Served) -> None:
        self.served = served
        self.accounts = {
            "ann": self._account("ann", Grant(role=Role.ADMINISTRATOR), PASSWORD),
            "max": self._account("max", Grant(role=Role.STUDY_MANAGER, study_id=STUDY_ID)),
            "bob": self._account("bob", Grant(role=Role.SITE_COORDINATOR, study_id=STUDY_ID, site_id=NEAR_MIAMI)),
            "vera": self._account("vera", Grant(role=Role.VIEWER, study_id=STUDY_ID)),
        }

    def _account(self, name: str, grant: Grant, password: str | None = None) -> str:
        store, now = self.served.store, self.served.now
        made = accounts.create_account(store, email=f"{name}@example.org", now=now, password=password)
        accounts.give(store, account_id=made.account_id, grant=grant)
        return made.account_id

    def cap(self, spots: int | None, site_id: str | None = None) -> None:
        """Set the study's cap, or a site's."""
        key = CapKey(level=CapLevel.SITE, scope=site_id) if site_id else CapKey(level=CapLevel.STUDY)
        rules.set_cap(self.served.store, SETUP, study_id=STUDY_ID, key=key, spots=spots, now=self.served.now)

    def hold(self, referral_id: str, site_id: str = NEAR_MIAMI, *steps: Action) -> None:
        """Hold a spot, and run further actions."""
        store, now = self.served.store, self.served.now
        ledger.place_hold(store, SETUP, study_id=STUDY_ID, site_id=site_id, referral_id=referral_id, now=now)
        for step in steps:
            reason = "LABORATORY" if step is Action.SCREEN_FAILURE else None
            coordinating.move(store, SETUP, action=step, referral_id=referral_id, now=now, reason=reason)

    def wait(self, referral_id: str, *site_ids: str) -> None:
        """Put a referral on the waiting list."""
        waiting.join_waiting_list(
            self.served.store, SETUP, study_id=STUDY_ID, referral_id=referral_id, site_ids=site_ids, now=self.served.now
        )

    def fill(self) -> None:
        """Create at least one referral in every state."""
        self.cap(40)
        self.hold("r-held")
        self.hold("r-screening", NEAR_MIAMI, Action.START_SCREENING)
        self.hold("r-enrolled", f"{STUDY_ID}-003", Action.START_SCREENING, Action.ENROLL)
        self.hold("r-failed", f"{STUDY_ID}-003", Action.START_SCREENING, Action.SCREEN_FAILURE)
        self.cap(1, f"{STUDY_ID}-005")
        self.hold("r-last", f"{STUDY_ID}-005")
        self.wait("r-waiting", f"{STUDY_ID}-005")

    def sign_in(self, page: Page, who: str = "ann") -> Page:
        """Sign a person in without the form, which has its own test, and return the page."""
        session = tokens.start_session(self.served.store, account_id=self.accounts[who], now=self.served.now)
        page.context.add_cookies([{"name": "sitematch-console", "value": session.secret, "url": self.served.origin}])
        return page

    def state(self, referral_id: str) -> Any:
        """Return the state of a referral."""
        return coordinating.referral(self.served.store, SETUP.actor, referral_id, self.served.now).state.value
