"""The table of import sources is complete: each has a reader, a command and an option on the console's page."""

from __future__ import annotations

import re

import pytest

from sitematch.cli.studies.importing import import_group
from sitematch.services.studies.sources import RECORD_READERS, ImportSource
from tests.conftest import ROOT

COMMANDS = {ImportSource.TABLE: "csv"}


@pytest.mark.parametrize("source", ImportSource)
def test_source_is_read_has_a_command_and_can_be_uploaded(source: ImportSource) -> None:
    page = (ROOT / "api" / "templates" / "console" / "imports.html").read_text(encoding="utf-8")

    assert (source in RECORD_READERS) != (source is ImportSource.TABLE)
    assert COMMANDS.get(source, source.value) in import_group.commands
    assert source.value in re.findall(r'<option value="(\w+)"', page)
