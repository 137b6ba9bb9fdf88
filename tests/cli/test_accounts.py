"""Accounts, tokens and webhooks from the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.app import create_app
from sitematch.cli import main
from sitematch.config import Settings
from tests.cli.conftest import Run

ANN = "ann@example.org"
SITE = "NCT06064929-001"


def served_status(tmp_path: Path, gazetteer_path: Path, secret: str, path: str = "/v1/capacity") -> int:
    """Ask the service, over the same database, with a token."""
    home = tmp_path / "home"
    values = {"SITEMATCH_HOME": str(home), "SITEMATCH_NOTICES_EVERY_S": "0", "SITEMATCH_GAZETTEER": str(gazetteer_path)}
    client = create_app(Settings.from_mapping(values)).test_client()
    return client.get(path, headers={"Authorization": f"Bearer {secret}"}).status_code


def test_fresh_install_has_no_account(run: Run) -> None:
    assert json.loads(run("user", "list", "--format", "json").stdout) == []


def test_first_administrator_is_made_here_and_the_token_works(run: Run, tmp_path: Path, gazetteer_path: Path) -> None:
    run("user", "add", ANN, "--role", "administrator")
    made = run("token", "create", ANN, "--label", "scripts")
    secret = made.stdout.strip()

    before = served_status(tmp_path, gazetteer_path, secret, "/v1/accounts")
    (listed,) = json.loads(run("token", "list", ANN, "--format", "json").stdout)
    run("token", "revoke", listed["token_id"])

    assert before == 200
    assert "not shown again" in made.stderr
    assert secret not in json.dumps(listed)
    assert served_status(tmp_path, gazetteer_path, secret, "/v1/accounts") == 401
    assert "revoked" in run("token", "list", ANN).stdout


def test_coordinator_has_the_role_at_the_site_and_loses_it(run: Run, tmp_path: Path, gazetteer_path: Path) -> None:
    where = ("--study", "NCT06064929", "--site", SITE)
    run("user", "add", ANN)
    without = run("user", "list").stdout
    run("user", "grant", ANN, "site-coordinator", *where)
    secret = run("token", "create", ANN, "--label", "x", "--scope", "capacity:read").stdout.strip()
    allowed = served_status(tmp_path, gazetteer_path, secret)

    run("user", "take-back", ANN, "site-coordinator", *where)

    assert "no role" in without
    assert (allowed, served_status(tmp_path, gazetteer_path, secret)) == (200, 403)


def test_disabled_account_is_out(run: Run, tmp_path: Path, gazetteer_path: Path) -> None:
    run("user", "add", ANN, "--role", "viewer")
    secret = run("token", "create", ANN, "--label", "x").stdout.strip()

    run("user", "disable", ANN)

    assert served_status(tmp_path, gazetteer_path, secret) == 401
    assert "disabled" in run("user", "list").stdout


def test_password_is_read_and_only_its_hash_is_kept(run: Run, tmp_path: Path) -> None:
    words = ["user", "add", ANN, "--password"]
    short = CliRunner().invoke(main, words, input="short\n", catch_exceptions=False)

    done = CliRunner().invoke(main, words, input="correct horse battery\n", catch_exceptions=False)

    assert (short.exit_code, done.exit_code) == (2, 0)
    with sqlite3.connect(tmp_path / "home" / "sitematch.db") as file:
        (kept,) = file.execute("SELECT password_hash FROM account").fetchone()
    file.close()
    assert kept.startswith("$argon2id$")
    again = CliRunner().invoke(main, ["user", "set-password", ANN], input="another horse battery\n")
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("user", "add", "no-address"), 2, "e-mail"),
        (("user", "add", ANN), 2, "already"),
        (("user", "add", "bob@example.org", "--role", "site-coordinator"), 2, "Give a site for"),
        (("user", "add", "bob@example.org", "--site", SITE), 2, "--role"),
        (("user", "grant", "bob@example.org", "viewer"), 3, "bob@example.org"),
        (("user", "disable", "bob@example.org"), 3, "user list"),
        (("token", "create", "bob@example.org", "--label", "x"), 3, "bob@example.org"),
        (("token", "create", ANN, "--label", ""), 2, "what the token is for"),
        (("token", "create", ANN, "--label", "x", "--days", "367"), 2, "367"),
        (("webhook", "add", "ftp://x", "--kind", "site.filled"), 2, "webhook address"),
        (("webhook", "add", "https://x", "--kind", "site.passed-percent"), 2, "percentage"),
        (("webhook", "disable", "w-9"), 3, "Webhook not found"),
    ],
)
def test_refusal_ends_with_its_exit_code_and_says_why(
    run: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    run("user", "add", ANN)

    result = run(*arguments)

    assert result.exit_code == code
    assert words in result.stderr


def test_webhook_is_added_listed_and_disabled(run: Run) -> None:
    added = run("webhook", "add", "https://example.org/x", "--kind", "site.filled")
    (listed,) = json.loads(run("webhook", "list").stdout)
    ran = run("webhook", "run")

    run("webhook", "disable", listed["webhook_id"])

    assert added.stdout.strip() not in json.dumps(listed)
    assert "0 messages delivered" in ran.stderr
    assert json.loads(run("webhook", "list").stdout)[0]["is_disabled"] is True
    assert json.loads(run("webhook", "failures").stdout) == []
