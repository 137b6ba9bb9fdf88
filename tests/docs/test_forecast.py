"""docs/forecast.md: its commands run on a new installation, and its worked example gives the stated results."""

from __future__ import annotations

import doctest
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run

__all__ = ["run"]

GUIDE = Path(__file__).parents[2] / "docs" / "forecast.md"
COMMANDS = re.findall(r"^\$ sitematch (.+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


def test_worked_example_comes_out_as_it_says() -> None:
    found = doctest.testfile(str(GUIDE), module_relative=False, encoding="utf-8")

    assert found.attempted > 8
    assert found.failed == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_guide_runs(run: Run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The guide's day passes, the test does not.
    by = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()

    result = run(*shlex.split(re.sub(r"--by \S+", f"--by {by}", command)))

    assert result.exit_code == 0, result.output
