"""Looking after webhooks on the command line."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run


def add(run: Run) -> tuple[str, str]:
    made = json.loads(
        run("webhook", "add", "https://example.org/x", "--kind", "site.filled", "--format", "json").stdout
    )
    return made["webhook"]["webhook_id"], made["secret"]


def test_secret_is_replaced_and_printed_once(run: Run) -> None:
    webhook_id, secret = add(run)

    done = run("webhook", "rotate-secret", webhook_id)

    assert done.exit_code == 0
    assert len(done.stdout.strip()) >= 32
    assert done.stdout.strip() != secret
    assert secret not in run("webhook", "list").stdout


def test_test_message_and_redelivery_are_written_down(run: Run) -> None:
    webhook_id, _ = add(run)

    assert "is waiting to be delivered" in run("webhook", "test", webhook_id).stderr
    assert "0 messages waiting to be delivered" in run("webhook", "redeliver", webhook_id).stderr


@pytest.mark.parametrize("command", ["test", "redeliver", "rotate-secret"])
def test_unknown_webhook_is_told(run: Run, command: str) -> None:
    done = run("webhook", command, "w-9")

    assert done.exit_code == 3
    assert "Webhook not found" in done.stderr
