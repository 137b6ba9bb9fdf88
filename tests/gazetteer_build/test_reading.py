from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from sitematch.errors import DataFault, NotReady
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.postal import read_dump, read_places
from sitematch.gazetteer.build.zcta import read_zcta


def packed(*rows: dict[str, object]) -> bytes:
    return gzip.compress("\n".join(json.dumps(row) for row in rows).encode())


def make_row(**changes: object) -> dict[str, object]:
    return {
        "country_code": "LV",
        "postal_code": "LV-1002",
        "city": "Rīga",
        "state": "",
        "latitude": 56.93,
        "longitude": 24.07,
        "accuracy": 4.0,
    } | changes


def test_spellings_of_one_code_are_one_code() -> None:
    content = packed(make_row(), make_row(postal_code="LV- 1002", city="Torņakalns"))

    places = read_places(content).places("LV")

    assert places.codes == (("LV", "1002"),)
    assert places.counts.tolist() == [2]


def test_every_bad_line_is_reported_with_its_number() -> None:
    content = packed(make_row(), make_row(latitude=95.0), {"country_code": "LV"}, make_row())

    with pytest.raises(DataFault) as caught:
        read_places(content)

    assert [fault.line for fault in caught.value.faults] == [2, 3]


def test_each_country_is_read_on_its_own() -> None:
    estonian = make_row(country_code="EE", postal_code="10111", city="Tallinn", latitude=59.4, longitude=24.7)

    dump = read_places(packed(make_row(), estonian, make_row(postal_code="LV-1003")))

    assert dump.countries == ("EE", "LV")
    assert dump.places("LV").codes == (("LV", "1002"), ("LV", "1003"))
    assert dump.places("EE").codes == (("EE", "10111"),)
    assert dump.places("FR").codes == ()


def test_bytes_that_are_not_gzip_are_a_data_fault() -> None:
    with pytest.raises(DataFault, match="unpacked"):
        read_places(b"no gzip")


def test_geonames_own_archive_reads_like_the_package() -> None:
    line = "LV\tLV-1002\tRīga\tVidzeme\t01\t\t\t\t\t56.93\t24.07\t4\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("allCountries.txt", line)

    places = read_dump(buffer.getvalue()).places("LV")

    assert places.codes == (("LV", "1002"),)
    assert places.names == (("Rīga", "Vidzeme"),)
    assert (places.latitude[0], places.longitude[0], places.accuracy[0]) == (56.93, 24.07, 4)


def test_another_archive_is_not_taken_for_geonames() -> None:
    with pytest.raises(DataFault, match=r"not GeoNames' allCountries\.zip"):
        read_dump(b"PK but no archive")


def test_a_source_with_other_bytes_than_pinned_is_refused() -> None:
    changed = replace(sources.ZCTA, sha256="0" * 64)

    with pytest.raises(DataFault, match="not the file that was pinned"):
        sources.read(changed)


def test_a_missing_source_package_says_how_to_get_it(tmp_path: Path) -> None:
    missing = replace(sources.POSTAL, distribution="no-such-package-of-ours")

    with pytest.raises(NotReady, match=r"pip install .*sources\.txt"):
        sources.read(missing, [tmp_path])


def test_a_damaged_row_of_the_census_table_is_named() -> None:
    with pytest.raises(DataFault) as caught:
        read_zcta(b"zcta,latitude,longitude\n10001,40.75,-73.99\n10002,north,-73.98\n")

    assert [fault.line for fault in caught.value.faults] == [3]
