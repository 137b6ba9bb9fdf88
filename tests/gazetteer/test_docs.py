"""docs/postcodes.md says what the program does: its examples run, its table is the grammar's."""

from __future__ import annotations

import doctest

from tools.postcode_table import DOCUMENT, filled


def test_every_example_of_the_page_is_true() -> None:
    result = doctest.testfile(
        str(DOCUMENT), module_relative=False, encoding="utf-8",
        optionflags=doctest.ELLIPSIS,
    )  # fmt: skip

    assert result.attempted >= 20
    assert result.failed == 0


def test_the_table_of_countries_is_the_grammars() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert text == filled(text), "run python -m tools.postcode_table"
