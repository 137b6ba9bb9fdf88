"""Whatever JSON a file of a known kind holds, its reader gives records and faults, or refuses the file in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitematch.domain.studies.record import StudyRecord
from sitematch.errors import DataFault, Fault
from sitematch.importers.registers import ctgov_classic, ctis
from sitematch.importers.tables.foreign import read_table
from tests.importers.test_file_kinds import FILES

TODAY = date(2026, 3, 1)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=5), st.just([]), st.just({})
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the address of every value inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at] * bool(at) + [one for key, part in items for one in places(part, (*at, key))]


def put(value: Any, at: tuple[Any, ...], other: Any) -> Any:
    if not at:
        return other
    changed = value.copy()
    changed[at[0]] = put(value[at[0]], at[1:], other)
    return changed


def of_records(reader: Callable[..., Any]) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        for found in reader(path, TODAY):
            assert isinstance(found, StudyRecord | Fault)
            if isinstance(found, StudyRecord):
                assert found.given == len(found.locations) + len(found.left_out)

    return read


READERS = {
    "ctis.json": of_records(ctis.read_file),
    "ctgov-classic.json": of_records(ctgov_classic.read_json),
    "hsds-services.json": read_table,
    "organizations.json": read_table,
}
WHOLE = {name: json.loads((FILES / name).read_text(encoding="utf-8")) for name in READERS}


@pytest.mark.parametrize("name", READERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(data=st.data())
def test_a_value_of_another_type_costs_no_more_than_words(tmp_path: Path, name: str, data: st.DataObject) -> None:
    value = WHOLE[name]
    for _ in range(data.draw(st.integers(1, 3))):
        value = put(value, data.draw(st.sampled_from(places(value))), data.draw(PLAIN))
    path = tmp_path / "file.json"
    path.write_text(json.dumps(value), encoding="utf-8")

    try:
        READERS[name](path)
    except DataFault as refusal:
        assert refusal.message
