"""CONTRIBUTING lists every package, and everything that it and its guide refer to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.room_table import DOCUMENT, filled

GUIDE = ROOT / "docs" / "contributing-debugging.md"
PATH = re.compile(r"`((?:sitematch|api|tests|benchmarks|tools|docs|data)/[\w./-]*)`")


def test_table_of_rooms_is_as_the_packages_say() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert filled(text) == text, "run: python -m tools.room_table"


@pytest.mark.parametrize("document", [DOCUMENT, GUIDE], ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    named = PATH.findall(document.read_text(encoding="utf-8"))

    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []
