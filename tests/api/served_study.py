"""A served study with a real database, people in every role, and a check of every answer against the document."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from benchmarks.databases import copy_empty_database
from sitematch.domain.accounts.access import Actor, Caller, Grant, Permission, Role
from sitematch.domain.accounts.tokens import NewToken
from sitematch.domain.capacity.caps import CapKey, CapLevel
from sitematch.services.finding.finder import Finder
from sitematch.store.accounts import accounts, tokens
from sitematch.store.capacity import rules
from sitematch.store.engine import open_store
from sitematch.store.studies.catalogue import replace_study
from tests.api.builders import NOW, SITES, STUDY_ID, make_settings, make_site, make_study
from tests.api.http.test_openapi import assert_as_documented

OTHER_STUDY = "NCT00000009"
SITE, OTHER_SITE = "miami", "portland"
ALL = frozenset(Permission)
GRANTS = {
    "viewer": Grant(role=Role.VIEWER, study_id=STUDY_ID),
    "coordinator": Grant(role=Role.SITE_COORDINATOR, study_id=STUDY_ID, site_id=SITE),
    "manager": Grant(role=Role.STUDY_MANAGER, study_id=STUDY_ID),
    "administrator": Grant(role=Role.ADMINISTRATOR),
    "coordinator elsewhere": Grant(role=Role.SITE_COORDINATOR, study_id=STUDY_ID, site_id=OTHER_SITE),
    "manager elsewhere": Grant(role=Role.STUDY_MANAGER, study_id=OTHER_STUDY),
    "nobody": None,
}
STUDY = CapKey(level=CapLevel.STUDY)


class ServedStudy:
    """The service, its people and a clock that the test controls."""

    def __init__(self, home: Path, finder: Finder, **changes: Any) -> None:
        settings = make_settings(home, **changes)
        self.now: datetime = NOW
        copy_empty_database(home / "sitematch.db")
        self.store = open_store(settings.database_url)
        replace_study(self.store, make_study(), SITES)
        replace_study(self.store, make_study(study_id=OTHER_STUDY), [make_site("far", None, study_id=OTHER_STUDY)])
        self.cap(8)
        self.app: Flask = create_app(settings, finder=finder, clock=lambda: self.now)
        self.client = self.app.test_client()
        self.accounts = {who: self._account(who) for who in GRANTS}
        self.secrets = {who: self.token(who).secret for who in GRANTS}
        self._keys = itertools.count()

    @cached_property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = self.app.test_client().get("/openapi.json").json
        return found

    def close(self) -> None:
        self.store.close()

    def _account(self, who: str) -> str:
        email = f"{who.replace(' ', '.')}@example.org"
        account_id = accounts.create_account(self.store, email=email, now=self.now).account_id
        grant = GRANTS[who]
        if grant is not None:
            accounts.give(self.store, account_id=account_id, grant=grant)
        return account_id

    def token(self, who: str, scopes: frozenset[Permission] = ALL, days: int = 30) -> NewToken:
        return tokens.create_token(
            self.store,
            account_id=self.accounts[who],
            label="for a test",
            scopes=scopes,
            expires_at=self.now + timedelta(days=days),
            now=self.now,
        )

    def cap(self, spots: int | None, key: CapKey = STUDY) -> None:
        caller = Caller(actor=Actor(actor_id="user:setup"), request_id="setup")
        rules.set_cap(self.store, caller, study_id=STUDY_ID, key=key, spots=spots, now=self.now)

    def ask(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        who: str = "administrator",
        key: str | None = None,
        secret: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Send a request as a person; a write gets a new idempotency key unless one is given."""
        sent = {"Authorization": f"Bearer {secret or self.secrets[who]}", **(headers or {})}
        if method != "GET":
            sent["Idempotency-Key"] = key or f"key-{next(self._keys)}"
        how: dict[str, Any] = {} if body is None else {"json": body}
        response = self.client.open(url, method=method, headers=sent, **how)
        self.check(method, url, response)
        return response

    def check(self, method: str, url: str, response: TestResponse) -> None:
        """Check the answer against the OpenAPI document; every answer of every test is checked here."""
        path = self.path_of(url)
        if response.status_code in (204, 304):
            assert response.data == b""
            assert str(response.status_code) in self.document["paths"][path][method.lower()]["responses"]
        else:
            assert_as_documented(self.document, path, method.lower(), response)

    def path_of(self, url: str) -> str:
        plain = url.partition("?")[0]
        if plain in self.document["paths"]:
            return plain
        fitting = [path for path in self.document["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), plain)]
        assert len(fitting) == 1, (url, fitting)
        return fitting[0]

    def hold(self, referral_id: str, site_id: str = SITE, **how: Any) -> TestResponse:
        return self.ask("POST", "/v1/referrals", {"site_id": site_id, "referral_id": referral_id}, **how)

    def move(self, referral_id: str, to: str, body: object = None, **how: Any) -> TestResponse:
        return self.ask("POST", f"/v1/referrals/{referral_id}/{to}", body, **how)

    def site(self, site_id: str = SITE) -> dict[str, Any]:
        (found,) = self.ask("GET", f"/v1/capacity?site_id={site_id}").json["sites"]
        answer: dict[str, Any] = found
        return answer

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)
