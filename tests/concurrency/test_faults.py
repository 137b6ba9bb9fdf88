"""The short form of `make faults`: the rows that take seconds, on a real server."""

from __future__ import annotations

import sys

import pytest

from benchmarks.faults import ROWS, FaultRow, on_trial

SHORT = ("main_killed", "many_writers", "file_moved", "gazetteer_cut", "connections_ended")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

CASES = [(row, dialect) for row in ROWS if row.act.__name__ in SHORT for dialect in row.dialects]


@pytest.mark.parametrize(("row", "dialect"), CASES, ids=lambda case: getattr(case, "title", case))
def test_server_comes_through(row: FaultRow, dialect: str) -> None:
    with on_trial(dialect) as trial:
        assert row.act(trial)


def test_every_short_row_exists() -> None:
    assert set(SHORT) <= {row.act.__name__ for row in ROWS}
