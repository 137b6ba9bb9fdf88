"""A user of the console, who signs in, reads pages, and sends their forms like a browser."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import TestResponse

from sitematch.store.accounts import accounts, tokens
from tests.api.served_study import ServedStudy

PASSWORD = "correct horse battery"
ORIGIN = {"Origin": "http://localhost"}


def read_text(html: str) -> str:
    """Return the visible text, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


class HtmlForm:
    """A form of a page: its URL and the values of its fields."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.action = attributes.get("action", "")
        self.method = attributes.get("method", "get").lower()
        self.fields: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []

    def data(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the data that a browser would send, with some fields changed."""
        values: dict[str, Any] = {}
        for name, value in self.fields:
            values.setdefault(name, []).append(value)
        return {**values, **changes}


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[HtmlForm] = []
        self._open: HtmlForm | None = None
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = HtmlForm(attributes)
            self.found.append(self._open)
        elif self._open is None:
            return
        elif tag == "input" and "name" in attributes and "disabled" not in attributes:
            is_unticked = attributes.get("type") in ("checkbox", "radio") and "checked" not in attributes
            if is_unticked or attributes.get("type") == "file":
                return
            self._open.fields.append((attributes["name"], attributes.get("value", "")))
        elif tag == "button" and "name" in attributes:
            self._open.buttons.append((attributes["name"], attributes.get("value", "")))
        elif tag == "select":
            self._select = attributes.get("name", "")
        elif tag == "option" and self._select:
            is_first = all(name != self._select for name, _ in self._open.fields)
            if is_first or "selected" in attributes:
                self._open.fields = [field for field in self._open.fields if field[0] != self._select]
                self._open.fields.append((self._select, attributes.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""


def forms_of(response: TestResponse) -> list[HtmlForm]:
    """Return the forms of a page, in order."""
    return _Forms(response.text).found


class ConsoleUser:
    """A person with a browser.

    Parameters
    ----------
    service
        The served study.
    who
        One of the study's people.
    """

    def __init__(self, service: ServedStudy, who: str) -> None:
        self.service = service
        self.who = who
        self.client = service.app.test_client()

    @property
    def email(self) -> str:
        return f"{self.who.replace(' ', '.')}@example.org"

    def sign_in(self, password: str = PASSWORD, **data: str) -> TestResponse:
        form = {"email": self.email, "password": password, **data}
        return self.client.post("/console/sign-in", data=form, headers=ORIGIN)

    def get(self, path: str, **how: Any) -> TestResponse:
        return self.client.get(path, **how)

    def forms(self, path: str) -> list[HtmlForm]:
        return forms_of(self.get(path))

    def form_in(self, response: TestResponse, action: str) -> HtmlForm:
        fitting = [form for form in forms_of(response) if re.split(r"[?#]", form.action)[0].endswith(action)]
        assert fitting, (action, [form.action for form in forms_of(response)], read_text(response.text))
        return fitting[0]

    def send(self, form: HtmlForm, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
        """Send a form like its page; `changes` are the person's inputs."""
        sent = ORIGIN if headers is None else headers
        data = form.data(changes)
        if form.method == "get":
            return self.get(form.action, query_string=data)
        return self.client.post(form.action, data=data, headers=sent)

    def fill(self, path: str, action: str, **changes: Any) -> TestResponse:
        """Open a page and send one of its forms."""
        return self.send(self.form_in(self.get(path), action), **changes)

    def follow(self, response: TestResponse) -> TestResponse:
        assert response.status_code == 303, (response.status_code, read_text(response.text))
        return self.get(response.headers["Location"])

    def hold(self, referral_id: str, site_id: str) -> TestResponse:
        """Take a spot from the site's page."""
        return self.fill(f"/console/sites/{site_id}", "/console/hold/spot", referral_id=referral_id)


def console_user(service: ServedStudy, who: str) -> ConsoleUser:
    """Return a signed-in person of the study; test_session.py tests the sign-in itself."""
    found = ConsoleUser(service, who)
    session = tokens.start_session(service.store, account_id=service.accounts[who], now=service.now)
    found.client.set_cookie("sitematch-console", session.secret)
    return found


def console_user_with_password(service: ServedStudy, who: str) -> ConsoleUser:
    """Return a person of the study who has a password and has signed in with it."""
    accounts.set_password(service.store, account_id=service.accounts[who], password=PASSWORD, now=service.now)
    found = ConsoleUser(service, who)
    response = found.sign_in()
    assert response.status_code == 303, read_text(response.text)
    return found


def stay_signed_in(user: ConsoleUser, service: ServedStudy, minutes: int) -> None:
    """Let time pass, with a page opened before each idle limit."""
    for _ in range(minutes // 10):
        service.later(minutes=10)
        assert user.get("/console").status_code == 200
