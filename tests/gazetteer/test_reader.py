"""The compiled file: opened without parsing, refused if it is not ours, shared by threads and forks."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sitematch.errors import NotReady
from sitematch.gazetteer.locate import Gazetteer
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.schema import SCHEMA_VERSION
from tests.gazetteer.builders import build_gazetteer


def test_a_missing_file_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="sitematch gazetteer build"):
        Gazetteer.open(tmp_path / "none.sqlite")

    assert list(tmp_path.iterdir()) == [], "opening must not create a file"


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    path = build_gazetteer(tmp_path / "old.sqlite", version=SCHEMA_VERSION + 1)

    with pytest.raises(NotReady, match=f"schema version {SCHEMA_VERSION + 1}.*sitematch gazetteer build"):
        Gazetteer.open(path)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = build_gazetteer(tmp_path / "other.sqlite", application_id=7)

    with pytest.raises(NotReady, match="no gazetteer"):
        Gazetteer.open(path)


@pytest.mark.parametrize("content", [b"", b"postcode,latitude\n", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.sqlite"
    path.write_bytes(content)

    with pytest.raises(NotReady):
        Gazetteer.open(path)


def test_a_path_with_odd_characters_opens(tmp_path: Path) -> None:
    path = build_gazetteer(tmp_path / "a b?c#d%20é.sqlite")

    assert Gazetteer.open(path).locate("33180", "US").postcode == "33180"


def test_sources_carry_licence_and_attribution(gazetteer: Gazetteer) -> None:
    (source,) = gazetteer.sources()

    assert (source.licence, source.attribution, source.url) == ("CC0-1.0", "A test.", "https://example.org/")


def test_nothing_can_be_written_through_it(gazetteer_path: Path) -> None:
    reader = Reader(gazetteer_path)

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._cursor().execute("DELETE FROM source")


def test_threads_share_one_gazetteer(gazetteer: Gazetteer) -> None:
    wrong: list[object] = []
    start = threading.Barrier(8)

    def look(code: str) -> None:
        start.wait()
        for _ in range(300):
            place = gazetteer.locate(code, "US")
            if place.postcode != code:
                wrong.append(place)

    threads = [threading.Thread(target=look, args=(code,)) for code in ("33180", "04102", "20060", "30060") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_connections_close_with_their_threads(gazetteer_path: Path) -> None:
    reader = Reader(gazetteer_path)
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("needs /proc")
    before = len(list(descriptors.iterdir()))

    for _ in range(20):
        thread = threading.Thread(target=reader.postcode, args=("US", "33180"))
        thread.start()
        thread.join()

    assert len(list(descriptors.iterdir())) <= before + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_its_own_connection(gazetteer_path: Path) -> None:
    # In a fresh process: forking the test runner itself would fork its threads' locks with it.
    program = f"""
import os, sys
from sitematch.gazetteer.locate import Gazetteer
gazetteer = Gazetteer.open({str(gazetteer_path)!r})
parent = gazetteer.reader._cursor().connection
child = os.fork()
if child == 0:
    fresh = gazetteer.reader._cursor().connection is not parent
    found = gazetteer.locate("33180", "US").postcode == "33180"
    os._exit(0 if fresh and found else 1)
_, status = os.waitpid(child, 0)
assert gazetteer.locate("04102", "US").postcode == "04102"
sys.exit(os.waitstatus_to_exitcode(status))
"""

    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr


def test_looking_up_imports_nothing_heavy(gazetteer_path: Path) -> None:
    program = f"""
import sys
from sitematch.gazetteer.locate import Gazetteer
Gazetteer.open({str(gazetteer_path)!r}).locate("33180", "US")
print(*sorted({{"numpy", "pandas", "scipy", "shapely", "pyproj", "geopy", "babel", "requests"}} & set(sys.modules)))
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == ""


def test_largest_towns_come_first_and_none_is_smaller_than_asked(gazetteer_path: Path) -> None:
    towns = Reader(gazetteer_path).largest_towns(1_000_000)

    people = [population for _, _, _, population in towns]
    assert people == sorted(people, reverse=True)
    assert people[-1] >= 1_000_000
    assert towns[0][0] == "Beijing"
