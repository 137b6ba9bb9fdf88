from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from sitematch.errors import DataFault, NotReady
from sitematch.gazetteer import grammar
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.audit import CountryAudit, audit, render
from sitematch.gazetteer.build.evidence import TownIndex
from sitematch.gazetteer.build.regions import read_regions, with_ranges, with_regions
from sitematch.gazetteer.build.rows import Repair, no_rows
from sitematch.gazetteer.build.rungs import with_coarser
from sitematch.gazetteer.build.update import _losses
from sitematch.gazetteer.build.write import digest, write, writing
from tests.gazetteer_build.builders import Code, make_rows, make_town

CODES: list[Code] = [
    ("BR", "01000000", -23.55, -46.63, "São Paulo", "Sao Paulo"),
    ("BR", "06000000", -23.53, -46.79, "Osasco", "Sao Paulo"),
    ("DE", "50667", 50.94, 6.96, "Köln", "Nordrhein-Westfalen"),
]


def write_small(path: Path, codes: list[Code] = CODES) -> None:
    repair = Repair("DE", "50667", 52.5, 13.4, 477.0, "a reason", "a rule", sources.POSTAL.id)
    write(path, make_rows(codes), [make_town()], [repair], sources.ALL, {"built_by": "a test"})


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    write_small(tmp_path / "one.sqlite")
    write_small(tmp_path / "two.sqlite")

    assert (tmp_path / "one.sqlite").read_bytes() == (tmp_path / "two.sqlite").read_bytes()


def test_countries_written_one_after_the_other_share_states_and_read_back(tmp_path: Path) -> None:
    lisbon: Code = ("PT", "1000001", 38.72, -9.14, "Lisboa", "Sao Paulo")

    with writing(tmp_path / "one.sqlite", sources.ALL, {}) as filler:
        filler.add(make_rows(CODES), [make_town()], [])
        filler.add(make_rows([lisbon]), [], [])

    connection = sqlite3.connect(tmp_path / "one.sqlite")
    names = connection.execute(
        "SELECT key, n.text FROM postcode p JOIN name n ON n.id = name_id WHERE n.text LIKE '%Sao Paulo' ORDER BY key"
    ).fetchall()
    states = connection.execute("SELECT count(*), count(DISTINCT text) FROM state").fetchone()
    connection.close()
    assert names == [
        ("01000000", "São Paulo, Sao Paulo"),
        ("06000000", "Osasco, Sao Paulo"),
        ("1000001", "Lisboa, Sao Paulo"),
    ]
    assert states[0] == states[1]


def test_the_header_does_not_tell_which_sqlite_wrote_it(tmp_path: Path) -> None:
    write_small(tmp_path / "one.sqlite")

    header = (tmp_path / "one.sqlite").read_bytes()[:100]

    assert header[92:96] == header[24:28]
    assert int.from_bytes(header[96:100], "big") == 3_040_000


def test_the_views_read_back_what_was_written(tmp_path: Path) -> None:
    write_small(tmp_path / "one.sqlite")

    connection = sqlite3.connect(tmp_path / "one.sqlite")
    row = connection.execute(
        "SELECT p.latitude, p.longitude, p.precision, p.uncertainty_m, n.text, p.source_id, p.children"
        " FROM postcode p JOIN name n ON n.id = p.name_id WHERE country = 'DE' AND key = '50667'"
    ).fetchone()
    town = connection.execute("SELECT name, admin, population FROM town").fetchone()
    connection.close()

    assert row == (509400, 69600, 3, 1000, "Köln, Nordrhein-Westfalen", 1, 0)
    assert town == ("Köln", "Nordrhein-Westfalen", 1_000_000)


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    write_small(path)
    before = path.read_bytes()

    with pytest.raises(sqlite3.IntegrityError):
        write(path, make_rows([*CODES, CODES[0]]), [], [], sources.ALL, {})

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["one.sqlite"]


def test_the_digest_changes_with_a_single_point(tmp_path: Path) -> None:
    write_small(tmp_path / "one.sqlite")
    write_small(tmp_path / "two.sqlite", [*CODES[:2], ("DE", "50667", 50.95, 6.96, "Köln", "Nordrhein-Westfalen")])
    digests = []

    for name in ("one", "two"):
        connection = sqlite3.connect(tmp_path / f"{name}.sqlite")
        digests.append(digest(connection))
        connection.close()

    assert digests[0] != digests[1]


def test_the_audit_finds_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    write_small(path)
    sound = audit(path).problems
    connection = sqlite3.connect(path)
    connection.execute("UPDATE code SET latitude = 0 WHERE country = 'DE'")
    connection.commit()
    connection.close()

    problems = audit(path).problems

    assert sound == ()
    assert any("digest" in problem for problem in problems)
    assert any("outside their own country" in problem for problem in problems)


def test_no_file_and_another_file_are_not_ready(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be one " * 100)

    for name in ("missing", "text"):
        with pytest.raises(NotReady, match="gazetteer build"):
            audit(tmp_path / name)


def test_the_audit_renders_countries_and_sources(tmp_path: Path) -> None:
    write_small(tmp_path / "one.sqlite")

    text = render(audit(tmp_path / "one.sqlite"))

    assert "| DE | 1 | 0 | DISTRICT 100% | 1.0 | 1.0 | 1 | 0 |" in text
    assert "CC-BY-4.0" in text
    assert text.endswith("Problem: none found")


def make_country(country: str, codes: int) -> CountryAudit:
    return CountryAudit(country, codes, 0, (), 1.0, 1.0, 0, 0)


def test_an_update_that_loses_a_tenth_of_a_country_is_noticed(tmp_path: Path) -> None:
    write_small(tmp_path / "one.sqlite")
    from dataclasses import replace

    found = audit(tmp_path / "one.sqlite")
    old = replace(found, countries=(make_country("DE", 100), make_country("FR", 100), make_country("VA", 1)))
    new = replace(found, countries=(make_country("DE", 91), make_country("FR", 89)))

    losses = _losses(old, new)

    assert losses == ["FR had 100 codes and would have 89."]


def test_a_rung_holds_its_codes_within_its_uncertainty() -> None:
    codes: list[Code] = [("DE", f"5{n:04d}", 50 + n / 1000, 7.0, "Ort", "Land") for n in range(0, 900, 10)]
    full = make_rows(codes)

    rows = with_coarser(full, [grammar.rungs(*code) for code in full.codes])

    at = rows.codes.index(("DE", "50"))
    assert rows.children[at] == 90
    assert rows.latitude[at] == pytest.approx(50.445, abs=0.01)
    assert 45 < rows.uncertainty_km[at] < 56


def test_parts_inside_a_brazilian_towns_range_are_that_towns() -> None:
    rows = with_ranges(make_rows(CODES))

    at = rows.codes.index(("BR", "054"))

    assert rows.name[at] == "São Paulo, Sao Paulo"
    assert ("BR", "061") not in rows.codes


def test_a_part_between_two_states_reaches_into_both() -> None:
    codes: list[Code] = [
        ("BR", "76000000", -15.4, -50.4, "Faina", "Goias"),
        ("BR", "77000000", -10.2, -48.3, "Palmas", "Tocantins"),
    ]

    rows = with_ranges(make_rows(codes))

    assert rows.uncertainty_km[rows.codes.index(("BR", "765"))] > 600


def test_first_digits_that_divide_a_country_reach_over_their_part_of_it() -> None:
    towns = [
        make_town(id=n, country="GE", name=f"Town{n}", admin="", latitude=42.0, longitude=41.0 + n, population=50_000)
        for n in range(6)
    ]
    village = make_town(id=9, country="GE", name="Far", admin="", latitude=42.7, longitude=41.0, population=40_000)
    table = "country,prefix,towns,source\n" + "".join(f"GE,{n:02d},Town{n},x\n" for n in range(6))

    rows = with_regions("GE", no_rows(), read_regions(table.encode())["GE"], TownIndex([*towns, village]))

    reach = dict(zip((key for _, key in rows.codes), rows.uncertainty_km.tolist(), strict=True))
    assert reach["00"] > 75  # to the village, 78 km north
    assert reach["03"] < 20


def test_a_region_of_one_town_is_a_locality_and_of_several_a_region() -> None:
    towns = [
        make_town(id=1, country="GR", name="Patra", admin="", latitude=38.25, longitude=21.73, population=170_000),
        make_town(id=2, country="GR", name="Aigio", admin="", latitude=38.25, longitude=22.08, population=20_000),
    ]
    table = b"country,prefix,towns,source\nGR,26,Patra,x\nGR,2,Patra|Aigio,x\n"

    rows = with_regions("GR", make_rows(CODES), read_regions(table)["GR"], TownIndex(towns))

    one, two = rows.codes.index(("GR", "26")), rows.codes.index(("GR", "2"))
    assert (rows.precision[one], rows.precision[two]) == (4, 5)
    assert rows.uncertainty_km[two] >= 30
    assert np.isclose(rows.latitude[one], 38.25)


def test_a_region_with_an_unknown_town_is_a_data_fault() -> None:
    regions = read_regions(b"country,prefix,towns,source\nGR,26,Atlantis,x\n")

    with pytest.raises(DataFault) as caught:
        with_regions("GR", make_rows(CODES), regions["GR"], TownIndex(()))

    assert (caught.value.faults[0].line, caught.value.faults[0].value) == (2, "Atlantis")
