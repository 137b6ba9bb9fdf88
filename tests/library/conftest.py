"""A home of its own for every test of the library."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SITEMATCH_HOME", str(tmp_path))
    monkeypatch.setattr("sitematch.library.opening._prepared", set())
    monkeypatch.setattr("sitematch.library.opening._finders", {})
    return tmp_path
