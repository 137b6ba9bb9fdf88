"""Accounts, roles and tokens in the console, for administrators."""

from __future__ import annotations

import html
import re

import pytest

from sitematch.store.accounts import accounts, tokens
from tests.api.builders import STUDY_ID
from tests.api.console_user import PASSWORD, ConsoleUser, console_user, read_text
from tests.api.served_study import SITE, ServedStudy


def secret_in(page: str) -> str:
    found = re.search(r'class="secret"[^>]*>([^<]+)<', page)
    return html.unescape(found[1]) if found else ""


def test_person_is_added_with_a_role_and_a_password_that_is_shown_once_and_opens_the_console(
    service: ServedStudy,
) -> None:
    ann = console_user(service, "administrator")

    made = ann.fill(
        "/console/people", "/console/people",
        email="Zoe@Example.org", role="site-coordinator", study_id=STUDY_ID, site_id=SITE,
    )  # fmt: skip

    password = secret_in(made.text)
    zoe = next(each for each in accounts.list_accounts(service.store) if each.email == "zoe@example.org")
    assert len(password) >= 16
    assert password not in ann.get(f"/console/people/{zoe.account_id}").text
    assert [(grant.role.value, grant.site_id) for grant in zoe.grants] == [("site-coordinator", SITE)]
    visitor = ConsoleUser(service, "zoe")
    assert visitor.sign_in(password).status_code == 303
    assert visitor.get("/console").headers["Location"].startswith("/console/account")
    visitor.fill("/console/account", "/account/password", password=password, new_password=PASSWORD)
    assert visitor.sign_in(PASSWORD).status_code == 303
    assert "Hospital miami" in visitor.get("/console/capacity").text


def test_form_sent_twice_makes_one_account_and_does_not_show_the_secret_again(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")
    form = ann.form_in(ann.get("/console/people"), "/console/people")
    data = {"email": "zoe@example.org", "role": "viewer", "study_id": STUDY_ID}

    first, second = ann.send(form, **data), ann.send(form, **data)

    assert secret_in(first.text)
    assert not secret_in(second.text)
    assert "already sent" in second.text
    assert [each.email for each in accounts.list_accounts(service.store)].count("zoe@example.org") == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"email": "no address", "role": "viewer"}, "not a valid e-mail address"),
        ({"email": "viewer@example.org", "role": "viewer"}, "already"),
        ({"email": "zoe@example.org", "role": "site-coordinator", "site_id": ""}, "Give a site for"),
        ({"email": "zoe@example.org", "role": "administrator", "study_id": STUDY_ID}, "access to every study"),
    ],
)
def test_person_that_cannot_be_added_is_explained_and_nothing_typed_is_lost(
    service: ServedStudy, data: dict[str, str], words: str
) -> None:
    ann = console_user(service, "administrator")
    before = len(accounts.list_accounts(service.store))

    response = ann.fill("/console/people", "/console/people", **data)

    assert response.status_code == 400
    assert words in read_text(response.text)
    assert f'value="{data["email"]}"' in response.text
    assert len(accounts.list_accounts(service.store)) == before


def test_roles_are_given_and_taken_back_at_once(service: ServedStudy) -> None:
    ann, nobody = console_user(service, "administrator"), console_user(service, "nobody")
    path = f"/console/people/{service.accounts['nobody']}"

    ann.fill(path, "/roles", role="viewer", study_id=STUDY_ID, site_id="")
    given = nobody.get("/console")
    ann.fill(path, "/roles/end")
    taken = nobody.get("/console")

    assert (given.status_code, taken.status_code) == (200, 403)


def test_administrator_cannot_lock_themselves_out(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")
    own = f"/console/people/{service.accounts['administrator']}"
    csrf = dict(ann.form_in(ann.get(own), "/roles/end").fields)

    taken = ann.fill(own, "/roles/end")
    disabled = ann.client.post(f"{own}/disable", data=csrf, headers={"Origin": "http://localhost"})

    assert (taken.status_code, disabled.status_code) == (409, 409)
    assert ann.get("/console/people").status_code == 200
    assert "Disable the account" not in ann.get(own).text


def test_account_is_disabled_after_a_question_and_cannot_be_used(service: ServedStudy) -> None:
    ann, vera = console_user(service, "administrator"), console_user(service, "viewer")
    path = f"/console/people/{service.accounts['viewer']}"

    asked = ann.get(f"{path}/end?what=account")
    still = vera.get("/console")
    ann.send(ann.form_in(asked, "/disable"))

    assert "cannot be undone" in asked.text
    assert still.status_code == 200
    assert vera.get("/console").status_code == 303
    assert service.ask("GET", "/v1/sites").status_code == 200


def test_new_password_is_shown_once_and_ends_the_old_sessions(service: ServedStudy) -> None:
    ann, vera = console_user(service, "administrator"), console_user(service, "viewer")
    path = f"/console/people/{service.accounts['viewer']}"

    made = ann.send(ann.form_in(ann.get(f"{path}/end?what=password"), "/password"))

    assert vera.get("/console").status_code == 303
    assert vera.sign_in(secret_in(made.text)).status_code == 303


def test_token_is_made_shown_once_used_and_ended(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")
    path = f"/console/people/{service.accounts['manager']}"

    made = ann.fill(path, "/tokens", label="booking", scopes=["capacity:read"], days="7")
    secret = secret_in(made.text)
    works = service.ask("GET", "/v1/capacity", secret=secret)
    beyond = service.hold("r-1", secret=secret)
    token = next(
        each for each in tokens.list_tokens(service.store, service.accounts["manager"]) if each.label == "booking"
    )
    asked = ann.get(f"{path}/end?what=token&token_id={token.token_id}")
    ann.send(ann.form_in(asked, "/tokens/end"))

    assert secret not in ann.get(path).text
    assert (works.status_code, beyond.status_code) == (200, 403)
    assert "booking" in asked.text
    assert service.ask("GET", "/v1/capacity", secret=secret).status_code == 401


def test_token_without_a_scope_is_explained_with_what_was_typed(service: ServedStudy) -> None:
    response = console_user(service, "administrator").fill(
        f"/console/people/{service.accounts['viewer']}", "/tokens", label="booking"
    )

    assert response.status_code == 400
    assert "at least one scope" in response.text
    assert 'value="booking"' in response.text


def test_token_of_somebody_else_is_not_ended_by_the_address_of_another(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")
    other = service.token("manager")
    path = f"/console/people/{service.accounts['viewer']}"
    fields = dict(ann.form_in(ann.get(path), "/roles/end").fields)

    ann.client.post(
        f"{path}/tokens/end",
        data={"csrf": fields["csrf"], "key": "k", "token_id": other.token.token_id},
        headers={"Origin": "http://localhost"},
    )

    assert service.ask("GET", "/v1/capacity", secret=other.secret).status_code == 200


def test_person_that_is_not_there_is_told(service: ServedStudy) -> None:
    assert console_user(service, "administrator").get("/console/people/none").status_code == 404
