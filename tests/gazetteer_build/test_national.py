"""National sources: post offices of India, districts of Turkey, single corrections."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sitematch.errors import DataFault
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.corrections import correct, read_corrections
from sitematch.gazetteer.build.evidence import TownIndex
from sitematch.gazetteer.build.national.india import Offices, believe_offices, read_offices
from sitematch.gazetteer.build.national.lists import Listed, missing_codes, read_japan, stand_for_municipality
from sitematch.gazetteer.build.national.turkey import move_to_districts, read_districts
from sitematch.gazetteer.build.postal import ExtraCode, Places, with_codes
from sitematch.gazetteer.build.repair import finished
from sitematch.gazetteer.schema import LOCALITY
from tests.gazetteer_build.builders import Code, make_draft, make_town

Office = tuple[int, float, float]


def make_offices(folder: Path, *offices: Office) -> Offices:
    connection = sqlite3.connect(folder / "geo.sqlite")
    connection.execute("CREATE TABLE districts (id INTEGER PRIMARY KEY, name TEXT)")
    connection.execute("INSERT INTO districts VALUES (1, 'PUNE')")
    connection.execute("CREATE TABLE post_offices (pincode, lat_e5, lon_e5, gq_code, district_id)")
    connection.executemany(
        "INSERT INTO post_offices VALUES (?, ?, ?, 0, 1)",
        [(code, round(latitude * 1e5), round(longitude * 1e5)) for code, latitude, longitude in offices],
    )
    connection.commit()
    connection.close()
    return read_offices(folder / "geo.sqlite")


PUNE: Code = ("IN", "411030", 18.82, 75.03, "Narayan Peth", "Maharashtra")


def test_a_code_far_from_post_offices_that_agree_goes_to_them(tmp_path: Path) -> None:
    offices = make_offices(tmp_path, (411030, 18.51, 73.85), (411030, 18.52, 73.86), (411030, 18.51, 73.86))
    draft = make_draft([PUNE])

    believe_offices(draft, offices)

    assert draft.rows.latitude[0] == pytest.approx(18.51, abs=0.02)
    assert draft.rows.source[0] == sources.INDIA.id
    assert draft.rows.uncertainty_km[0] < 5


def test_copies_of_one_point_are_one_witness_and_move_nothing_far(tmp_path: Path) -> None:
    offices = make_offices(tmp_path, *[(411030, 28.6, 77.2)] * 5)
    draft = make_draft([PUNE])

    believe_offices(draft, offices)

    assert finished(draft) == []
    assert draft.rows.uncertainty_km[0] == 50


def test_one_office_with_anothers_coordinates_does_not_widen_the_circle(tmp_path: Path) -> None:
    near = [(411030, 18.51 + n / 1000, 73.85) for n in range(8)]
    offices = make_offices(tmp_path, *near, (411030, 18.9, 74.5))

    assert offices.reach_km[0] < 2


def test_a_turkish_code_goes_to_the_town_of_its_district() -> None:
    bursa = make_town(id=1, country="TR", name="Bursa", admin="Bursa", latitude=40.19, longitude=29.06)
    osmangazi = make_town(id=2, country="TR", name="Osmangazi", admin="Bursa", latitude=40.2, longitude=29.05)
    near: Code = ("TR", "16020", 40.21, 29.0, "Çarşı", "Bursa")
    draft = make_draft([("TR", "16010", 39.93, 36.88, "Maksem", "Bursa"), near])
    table = "postcode,province,district\n16010,Bursa,Osmangazi\n16020,Bursa,Osmangazi\n"

    move_to_districts(draft, read_districts(table.encode()), TownIndex([bursa, osmangazi]))

    assert [(one.key, round(one.moved_km)) for one in finished(draft)] == [("16010", 668)]
    assert draft.rows.latitude.tolist() == [40.2, 40.21]


def test_codes_that_share_a_wrong_point_are_no_middle_of_their_district() -> None:
    mersin = make_town(country="TR", name="Mersin", admin="Mersin", latitude=36.8, longitude=34.6)
    codes: list[Code] = [("TR", f"3302{n}", 37.76, 30.55, "Hal", "Mersin") for n in range(6)]
    table = "postcode,province,district\n" + "".join(f"{code[1]},Mersin,Akdeniz\n" for code in codes)
    draft = make_draft(codes)

    move_to_districts(draft, read_districts(table.encode()), TownIndex([mersin]))

    assert set(draft.rows.latitude.tolist()) == {36.8}


def test_a_correction_moves_a_code_and_takes_it_out_of_doubt() -> None:
    draft = make_draft([("NZ", "8942", -43.63, 172.73, "Diamond Harbour", "Canterbury")])
    listed = read_corrections(sources.read(sources.CORRECTIONS))["NZ"]

    correct(draft, listed)

    assert (draft.rows.latitude[0], draft.rows.longitude[0]) == (-43.953, -176.559)
    assert draft.trusted.tolist() == [True]


def test_a_correction_without_a_source_is_a_data_fault() -> None:
    with pytest.raises(DataFault) as caught:
        read_corrections(b"country,key,place,state,latitude,longitude,reach_km,source\nNZ,8942,a,b,1,2,3,\n")

    assert caught.value.faults[0].line == 2


def test_codes_of_another_source_join_the_dumps_and_the_dump_wins(places: Places) -> None:
    extra = [ExtraCode("1002", "Elsewhere", "", 1.0, 1.0), ExtraCode("1001", "Centrs", "", 56.9, 24.1)]

    joined = with_codes("LV", places, extra)

    assert joined.codes == (("LV", "1001"), ("LV", "1002"))
    assert [joined.names[name][0] for name in joined.name.tolist()] == ["Centrs", "Rīga"]


@pytest.fixture
def places() -> Places:
    import gzip
    import json

    from sitematch.gazetteer.build.postal import read_places

    row = {"country_code": "LV", "postal_code": "LV-1002", "city": "Rīga", "latitude": 56.93, "longitude": 24.07}
    return read_places(gzip.compress(json.dumps(row).encode())).places("LV")


def test_a_listed_code_that_the_dump_lacks_stands_for_its_municipality(places: Places) -> None:
    listed = [Listed("1002", "Rīga"), Listed("1999", "Rīga"), Listed("2999", "Jūrmala")]

    (added,) = missing_codes(places, listed)

    assert (added.key, added.place) == ("1999", "Rīga")
    assert added.latitude == pytest.approx(56.93, abs=1e-3)
    draft = make_draft([("LV", "1002", 56.93, 24.07, "Rīga", ""), ("LV", "1999", 56.93, 24.07, "Rīga", "")])
    stand_for_municipality(draft, [added], sources.FINLAND.id)
    assert draft.rows.precision[1] == LOCALITY
    assert draft.rows.source.tolist() == [sources.POSTAL.id, sources.FINLAND.id]


def test_japans_list_holds_areas_and_offices(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "postaldata.db")
    connection.execute("CREATE TABLE postal_data (code, data, prefecture, city, neighborhood)")
    connection.execute("INSERT INTO postal_data VALUES ('0600041', '{}', '北海道', '札幌市中央区', '大通東')")
    connection.execute("CREATE TABLE office_data (code, data)")
    office = '{"prefecture": "北海道", "city": "札幌市中央区"}'
    connection.execute("INSERT INTO office_data VALUES ('0608621', ?)", (office,))
    connection.commit()
    connection.close()

    assert {one.key: one.municipality for one in read_japan(tmp_path / "postaldata.db")} == {
        "0600041": "北海道札幌市中央区",
        "0608621": "北海道札幌市中央区",
    }
