"""Real records of ClinicalTrials.gov, in a folder next to the checkout; other tests use small hand-made ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEMANDED = "SITEMATCH_TEST_RECORDS"
"""The variable that says that the records must be there; `.ci/run` sets it where they are."""

# Next to the checkout, or one level up if several checkouts share a folder.
FOLDERS = tuple(parent / "shared" / "data" / "ctgov" for parent in (ROOT.parent, ROOT.parent.parent))


def ctgov_folder() -> Path:
    """Return the folder; without it skip, or fail if `DEMANDED` is set."""
    for folder in FOLDERS:
        if folder.exists():
            return folder
    if os.environ.get(DEMANDED):
        pytest.fail(f"{FOLDERS[0]} is missing, and {DEMANDED} is set: these tests must read the real records")
    pytest.skip(f"the real records are not here ({FOLDERS[0]})")
