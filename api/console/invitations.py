"""The page of an invitation: its link opens it once, and the person chooses a password there."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from msgspec import Meta

from api.backend import Backend
from api.console.page.context import page
from api.console.page.faults import sign_in_page
from api.console.page.forms import ConsoleForm
from api.console.page.routes import Console, PageAccess
from api.http.errors import problem_of
from api.http.reading import read_form
from api.pages.languages import gettext as _
from sitematch.errors import InvalidInput, LoginFailed
from sitematch.services.accounts import invitations


class AcceptForm(ConsoleForm, frozen=True, kw_only=True):
    """The chosen password."""

    username: Annotated[str, Meta(max_length=254)] = ""
    new_password: Annotated[str, Meta(max_length=1024)] = ""


def register(console: Console, backend: Backend) -> None:
    """Create the routes."""

    @console.page("GET", "/invitation/<code>", PageAccess.PUBLIC)
    def invitation(code: str) -> Response:
        return _show(backend, code)

    @console.page("POST", "/invitation/<code>", PageAccess.PUBLIC)
    def accept_invitation(code: str) -> Response:
        asked = read_form(AcceptForm)
        try:
            account = invitations.accept(backend.store(), code=code, password=asked.new_password, now=backend.now())
        except InvalidInput as error:
            return _show(backend, code, fault=error.message, status=problem_of(error).status)
        except LoginFailed as error:
            return sign_in_page(backend, error.message, status=410)
        return sign_in_page(backend, _("Your password is set. Sign in."), is_good=True, email=account.email)


def _show(backend: Backend, code: str, *, fault: str = "", status: int = 200) -> Response:
    try:
        account = invitations.read(backend.store(), code=code, now=backend.now())
    except LoginFailed as error:
        return sign_in_page(backend, error.message, status=410)
    return page("invitation.html", status=status, account=account, code=code, fault=fault)
