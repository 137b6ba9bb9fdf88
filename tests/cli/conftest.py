from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sitematch.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gazetteer_path: Path) -> Run:
    """Run the command in a fresh home, in this process."""
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SITEMATCH_GAZETTEER", str(gazetteer_path))
    # The locale says where a person probably is.
    for name in ("SITEMATCH_DATABASE_URL", "SITEMATCH_STUDY", "LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)

    def run_(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), catch_exceptions=False)

    return run_
