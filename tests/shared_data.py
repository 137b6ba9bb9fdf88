"""Real records of ClinicalTrials.gov, in a folder beside the checkout; small hand-made ones serve elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Beside the checkout, or one level up where several checkouts share a folder of their own.
FOLDERS = tuple(parent / "shared" / "data" / "ctgov" for parent in (ROOT.parent, ROOT.parent.parent))


def ctgov_folder() -> Path:
    """Return the folder; skip without it, but never in continuous integration, where it must be."""
    for folder in FOLDERS:
        if folder.exists():
            return folder
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{FOLDERS[0]} is missing: continuous integration must read the real records")
    pytest.skip(f"the real records are not here ({FOLDERS[0]})")
