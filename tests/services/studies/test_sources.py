"""The table of import sources is complete: each has a reader, a command, and a page that describes its fields."""

from __future__ import annotations

import pytest

from sitematch.cli.studies.importing import import_group
from sitematch.services.studies.sources import RECORD_READERS, SOURCES, ImportSource
from tests.conftest import ROOT

DOCS = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
COMMANDS = {ImportSource.TABLE: "csv"}


@pytest.mark.parametrize("source", ImportSource)
def test_source_is_read_and_has_a_command(source: ImportSource) -> None:
    assert (source in RECORD_READERS) != (source is ImportSource.TABLE)
    assert COMMANDS.get(source, source.value) in import_group.commands
    assert SOURCES[source].specification in DOCS
