"""docs/reports.md: its commands run, and every column in it exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from tests.reports.readers import read_json

__all__ = ["run"]

GUIDE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ sitematch (.+)$", GUIDE, re.MULTILINE)


def test_every_command_of_the_guide_runs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    for command in COMMANDS:
        done = run(*shlex.split(command))

        assert done.exit_code == 0, f"{command}\n{done.output}"
    assert {path.name for path in tmp_path.iterdir()} >= {"january.pdf", "funnel.xlsx", "funnel.html"}


def test_the_guide_names_both_reports_and_every_column_of_the_capacity_report(run: Run) -> None:
    (section, *_) = read_json(run("report", "capacity", "--format", "json").stdout_bytes)["sections"]
    columns = {column["name"] for column in section["table"]["columns"]} - {"part_id", "name", "country"}
    named = set(re.findall(r"`(\w+)`", GUIDE))

    assert columns <= named
    assert {"capacity", "funnel"} <= {command.split()[1] for command in COMMANDS}
