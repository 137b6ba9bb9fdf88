"""Cells: harmless in a spreadsheet, and the same again when they are read back."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sitematch.domain.table_cells import (
    Value,
    cell_text,
    escape_for_workbook,
    is_formula,
    join_texts,
    neutralise_formula,
    restore_formula,
    restore_from_workbook,
    split_texts,
)

nasty = st.text(
    st.sampled_from("='+-@\t\r\n ＝＋－＠﹦\u00a0\ufeff\u200b\x00a1|[]\",_x05F") | st.characters(codec="utf-8")
)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "﹦"])
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\ufeff", "\x00 "])
def test_a_text_that_would_run_gets_an_apostrophe(before: str, sign: str) -> None:
    text = f"{before}{sign}cmd|' /C calc'!A0"

    assert is_formula(text)
    assert neutralise_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Clinic", "'s-Hertogenbosch", "04102", "a=b", "臺大醫院", "LV-1010", " Clinic"])
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    assert neutralise_formula(text) == text
    assert restore_formula(text) == text


@given(nasty)
@example("'=1+1")
@example("''＝1")
@example("'\t")
def test_neutralising_is_undone_exactly_and_leaves_nothing_that_runs(text: str) -> None:
    safe = neutralise_formula(text)

    assert restore_formula(safe) == text
    assert not re.match(r"[\s\x00\ufeff\u200b]*[=+\-@＝＋－＠]", safe)


@given(st.lists(nasty).map(tuple))
@example(("",))
@example(("a | b",))
@example(('["a"]',))
@example(("[", "]"))
def test_several_texts_in_one_cell_come_apart_again(texts: tuple[str, ...]) -> None:
    assert split_texts(join_texts(texts)) == texts


@pytest.mark.parametrize("cell", ["[not JSON", "[1, 2]"])
def test_brackets_that_hold_no_list_of_texts_are_text(cell: str) -> None:
    assert split_texts(cell) == (cell,)


@given(nasty)
@example("_x0041\x07")
@example("_x0041_x0042_")
@example("\r\n")
def test_a_workbooks_escapes_are_undone_exactly(text: str) -> None:
    escaped = escape_for_workbook(text)

    assert restore_from_workbook(escaped) == text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", escaped)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        (-0.28, "-0.28"),
        ("-0.28", "'-0.28"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-3, "-3"),
        (True, "true"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 13, 30, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T11:30:00Z"),
        (datetime(2026, 1, 2, 13, 30, 1, 500_000, tzinfo=UTC), "2026-01-02T13:30:01.500000Z"),
        (("a", "b"), "a | b"),
        (("=a", "b"), "'=a | b"),
    ],
)
def test_a_value_is_written_exactly_and_texts_are_neutralised(value: Value, text: str) -> None:
    assert cell_text(value) == text
