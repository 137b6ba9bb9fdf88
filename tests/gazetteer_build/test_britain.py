"""Great Britain's units, packed into their sectors."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sitematch.domain.place import Precision
from sitematch.errors import DataFault
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.national.britain import read_units, with_units
from sitematch.gazetteer.build.write import writing
from sitematch.gazetteer.locate import Gazetteer
from tests.gazetteer_build.builders import Code, make_rows

# Code-Point Open's own form: unit, quality, easting, northing. SW1A 1AA is Buckingham Palace.
PALACE = "SW1A 1AA,10,529090,179645\n"
NEAR = "".join(f"SW1A 2A{letter},10,{530000 + n * 60},179900\n" for n, letter in enumerate("ABCDEFGH"))


def write_area(folder: Path, text: str, name: str = "sw") -> Path:
    (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_british_grid_becomes_degrees_within_ten_metres(tmp_path: Path) -> None:
    units = read_units(write_area(tmp_path, PALACE))

    at = units.rows.codes.index(("GB", "SW1A 1"))
    assert units.rows.latitude[at] == pytest.approx(51.5010, abs=2e-4)
    assert units.rows.longitude[at] == pytest.approx(-0.1416, abs=2e-4)


def test_a_unit_a_sector_and_an_outward_code_are_found_each_with_its_precision(tmp_path: Path) -> None:
    outward: Code = ("GB", "SW1A", 51.4, -0.2, "Westminster", "England")
    units = read_units(write_area(tmp_path, PALACE + NEAR))
    with writing(tmp_path / "gazetteer.sqlite", sources.ALL, {}) as filler:
        filler.add(with_units(make_rows([outward]), units), [], [])
        filler.add_units("GB", units.sectors)
    gazetteer = Gazetteer.open(tmp_path / "gazetteer.sqlite")

    unit, unknown, part = (gazetteer.locate(text, "GB") for text in ("SW1A 1AA", "SW1A 2ZZ", "SW1A"))

    assert (unit.precision, unit.postcode, unit.notes) == (Precision.UNIT, "SW1A 1AA", ())
    assert unit.coordinates.latitude == pytest.approx(51.501, abs=2e-4)
    assert unit.name == "Westminster, England"
    assert "Code-Point" in unit.source
    assert (unknown.precision, unknown.postcode) == (Precision.SECTOR, "SW1A 2")
    assert (part.precision, part.postcode) == (Precision.DISTRICT, "SW1A")
    assert part.coordinates.latitude == pytest.approx(51.503, abs=2e-3)


def test_a_sectors_circle_holds_units_that_it_was_not_fitted_to(tmp_path: Path) -> None:
    units = read_units(write_area(tmp_path, PALACE + NEAR))

    assert units.count == 9
    assert (units.check.inside, units.check.points) == (4, 4)


def test_units_without_coordinates_are_left_out(tmp_path: Path) -> None:
    units = read_units(write_area(tmp_path, PALACE + "SW1A 1ZZ,90,0,0\n"))

    assert units.count == 1


def test_codes_that_ordnance_survey_lacks_stay_geonames(tmp_path: Path) -> None:
    belfast: Code = ("GB", "BT1", 54.6, -5.9, "Belfast", "Northern Ireland")

    rows = with_units(make_rows([belfast]), read_units(write_area(tmp_path, PALACE)))

    at = rows.codes.index(("GB", "BT1"))
    assert (rows.latitude[at], rows.source[at]) == (54.6, sources.POSTAL.id)
    assert list(rows.codes) == sorted(rows.codes)


def test_a_file_of_another_form_is_a_data_fault(tmp_path: Path) -> None:
    with pytest.raises(DataFault) as caught:
        read_units(write_area(tmp_path, "SW1A 1AA,ten,1,2\n"))

    assert caught.value.faults[0].field == "sw.csv.gz"
