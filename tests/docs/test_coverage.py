"""docs/coverage.md, docs/demand.md, docs/allocation.md and docs/library.md: their commands run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run

__all__ = ["run"]

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lists and batches that the examples name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "patients.csv").write_text("zip,postcode\n33180,33180\n04102,04102\n")
    (tmp_path / "towns.csv").write_text("postcode,land,people\n10115,DE,40\n75008,France,3\n")
    (tmp_path / "batch.csv").write_text("referral_id,postcode,country\nr-1,33180,US\n")
    (tmp_path / "batch.json").write_text('[{"referral_id": "r-1", "town": "Berlin", "country": "DE"}]')
    return tmp_path


@pytest.mark.parametrize("name", ["coverage", "demand", "allocation", "library"])
def test_every_command_of_the_guide_runs(run: Run, files: Path, name: str) -> None:
    commands = re.findall(r"^\$ sitematch (.+)$", (DOCS / f"{name}.md").read_text(encoding="utf-8"), re.MULTILINE)

    for command in commands:
        # The other study of the example is in nobody's catalogue here.
        done = run(*shlex.split(command.replace("NCT05843643", "NCT06064929")))

        assert done.exit_code == 0, f"{command}\n{done.output}"
    assert len(commands) >= 2
