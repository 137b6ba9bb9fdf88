"""Every command of docs/coordinators.md runs, in its order, on a fresh install."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from sitematch.cli import main

GUIDE = Path(__file__).parents[2] / "docs" / "coordinators.md"
COMMANDS = re.findall(r"^\$ sitematch (.+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_command_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gazetteer_path: Path) -> None:
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SITEMATCH_GAZETTEER", str(gazetteer_path))
    for name in ("SITEMATCH_DATABASE_URL", "SITEMATCH_STUDY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    for command in COMMANDS:
        result = CliRunner().invoke(main, shlex.split(command), catch_exceptions=False)

        assert result.exit_code == 0, f"{command}\n{result.output}"
    assert len(COMMANDS) > 25


def test_guide_names_every_group_of_commands_that_a_coordinator_needs() -> None:
    named = {command.split()[0] for command in COMMANDS}

    assert {"capacity", "referral", "waiting-list", "user", "token", "webhook", "ledger", "db"} <= named
