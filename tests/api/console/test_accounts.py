"""Accounts, roles and tokens in the console, for administrators."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from api.console.page import labels
from sitematch.domain.accounts.access import GRANTED, Permission, Role
from sitematch.errors import InvalidInput
from sitematch.store.accounts import accounts, changes, invitations, tokens
from tests.api.builders import STUDY_ID
from tests.api.console_user import PASSWORD, ConsoleUser, console_user, read_text
from tests.api.served_study import SITE, ServedStudy


def secret_in(page: str) -> str:
    found = re.search(r'class="secret"[^>]*>([^<]+)<', page)
    return html.unescape(found[1]) if found else ""


def add_zoe(ann: ConsoleUser, **changes: str) -> str:
    """Add a person and return the path of the invitation, which is shown once."""
    data = {"email": "Zoe@Example.org", "role": "site-coordinator", "study_id": STUDY_ID, "site_id": SITE}
    link = secret_in(ann.fill("/console/people", "/console/people", **{**data, **changes}).text)
    assert link.startswith("http://localhost/console/invitation/")
    return link.removeprefix("http://localhost")


def zoe_of(service: ServedStudy) -> Any:
    return next(each for each in accounts.list_accounts(service.store) if each.email == "zoe@example.org")


def test_person_is_added_with_a_role_and_chooses_a_password_by_a_link_that_works_once(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")

    path = add_zoe(ann)

    assert path.rpartition("/")[2] not in ann.get(f"/console/people/{zoe_of(service).account_id}").text
    assert [(grant.role.value, grant.site_id) for grant in zoe_of(service).grants] == [("site-coordinator", SITE)]
    visitor = ConsoleUser(service, "zoe")
    assert visitor.get(path).status_code == 200
    assert visitor.get(path).status_code == 200  # looking does not use it up
    weak = visitor.fill(path, path, new_password="zoe@example.org")
    assert weak.status_code == 400
    done = visitor.fill(path, path, new_password=PASSWORD)
    assert "Your password is set" in done.text
    assert visitor.get(path).status_code == 410
    assert visitor.sign_in(PASSWORD).status_code == 303
    assert "Hospital miami" in visitor.get("/console/capacity").text


def test_invitation_expires_and_is_replaced_by_a_new_one(service: ServedStudy) -> None:
    first = add_zoe(console_user(service, "administrator"))
    service.later(days=6)
    person = f"/console/people/{zoe_of(service).account_id}"

    second = secret_in(console_user(service, "administrator").fill(person, "/invitation").text).removeprefix(
        "http://localhost"
    )
    visitor = ConsoleUser(service, "zoe")
    replaced, usable = visitor.get(first), visitor.get(second)
    service.later(days=7)

    assert (replaced.status_code, usable.status_code) == (410, 200)
    assert visitor.get(second).status_code == 410


@pytest.mark.parametrize("end", ["disable", "password"])
def test_invitation_of_a_disabled_account_or_one_with_a_password_is_worth_nothing(
    service: ServedStudy, end: str
) -> None:
    path = add_zoe(console_user(service, "administrator"))
    account_id = zoe_of(service).account_id
    if end == "disable":
        accounts.disable_account(service.store, account_id=account_id, now=service.now)
    else:
        accounts.set_password(service.store, account_id=account_id, password=PASSWORD, now=service.now)

    assert ConsoleUser(service, "zoe").get(path).status_code == 410
    with pytest.raises(InvalidInput):
        invitations.invite(service.store, account_id=account_id, now=service.now)


@pytest.mark.parametrize("code", ["x", "0" * 43, "%00", "a" * 500])
def test_code_that_is_none_opens_nothing(service: ServedStudy, code: str) -> None:
    assert ConsoleUser(service, "zoe").get(f"/console/invitation/{code}").status_code in (404, 410)


def test_changes_of_an_account_are_shown_with_who_made_them(service: ServedStudy) -> None:
    ann = console_user(service, "administrator")
    path = add_zoe(ann)
    account_id = zoe_of(service).account_id
    person = f"/console/people/{account_id}"
    ann.fill(person, "/roles", role="viewer", study_id=STUDY_ID, site_id="")
    ann.fill(person, "/roles/end")
    ConsoleUser(service, "zoe").fill(path, path, new_password=PASSWORD)

    trail = re.findall(r'<span class="trail-what"><strong>([^<]+)</strong>', ann.get(person).text)

    assert trail == ["Password set", "Role removed", "Role added", "Invited", "Role added", "Account created"]
    by_ann = {change.actor_id for change in changes.list_changes(service.store, account_id, limit=9)}
    assert by_ann == {f"user:{service.accounts['administrator']}", f"user:{account_id}"}


def test_what_each_role_may_do_is_a_table_of_the_permissions(service: ServedStudy) -> None:
    page = console_user(service, "administrator").get("/console/people").text

    for permission in Permission:
        words = html.escape(str(labels.SCOPES[permission]))
        cells = re.search(rf'<th scope="row">{words}</th>(.*?)</tr>', page)
        assert cells
        assert re.findall("yes|no", cells[1].replace('class="soft"', "")) == [
            "yes" if permission in GRANTED[role] else "no" for role in Role
        ]


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
