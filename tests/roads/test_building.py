"""The file of land and people: built from towns, coasts and links, and read back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sitematch.config import data_file
from sitematch.errors import DataFault, NotReady
from sitematch.roads.build import build
from sitematch.roads.links import read_links
from sitematch.roads.tiles import LandTiles, tile_number

# Two islands of a degree by a degree, ten kilometres apart, and a far one.
LAND = b"""{"features": [
{"properties": {}, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}},
{"properties": {}, "geometry": {"type": "Polygon", "coordinates": [[[1.1, 0], [2, 0], [2, 1], [1.1, 1], [1.1, 0]]]}},
{"properties": {}, "geometry": {"type": "Polygon", "coordinates": [[[5, 5], [5.5, 5], [5.5, 5.5], [5, 5.5], [5, 5]]]}}
]}"""
HEADER = "name,from_latitude,from_longitude,to_latitude,to_longitude,source\n"
BRIDGE = (HEADER + "Bridge,0.5,0.95,0.5,1.15,https://example.org/\n").encode()


def build_small(folder: Path, *, land: bytes = LAND, links: bytes = BRIDGE) -> Path:
    gazetteer = folder / "gazetteer.sqlite"
    connection = sqlite3.connect(gazetteer)
    with connection:
        connection.execute("CREATE TABLE settlement (id, latitude, longitude, population)")
        connection.execute("INSERT INTO settlement VALUES (1, 5000, 5000, 100000), (2, 52000, 52000, NULL)")
    connection.close()
    build(folder / "roads.sqlite", gazetteer=gazetteer, land=land, links=links)
    return folder / "roads.sqlite"


def test_land_that_a_link_joins_has_one_network(tmp_path: Path) -> None:
    tiles = LandTiles(build_small(tmp_path))
    west, east, far = (tiles.mass(*cell) for cell in ((1810, 3610), (1810, 3630), (1905, 3705)))

    assert len({west, east, far}) == 3
    assert tiles.network(west) == tiles.network(east) != tiles.network(far)
    assert tiles.mass(1810, 3621) == 0
    assert tiles.mass(1810, 3610 + 7200) == west


def test_people_are_most_where_a_town_is(tmp_path: Path) -> None:
    tiles = LandTiles(build_small(tmp_path))

    assert all(near > far for near, far in zip(tiles.people(0.5, 0.5), tiles.people(0.9, 0.9), strict=True))
    assert tiles.people(-45.0, 100.0) == (0.0, 0.0, 0.0)


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert build_small(tmp_path / "a").read_bytes() == build_small(tmp_path / "b").read_bytes()


def test_another_file_is_refused_with_the_command_that_builds_it(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    for content in (None, b"no database at all, by far " * 100):
        if content is not None:
            other.write_bytes(content)
        with pytest.raises(NotReady, match="sitematch gazetteer roads"):
            LandTiles(other)
    with pytest.raises(NotReady, match="sitematch gazetteer roads"):
        LandTiles(data_file("gazetteer.sqlite"))


def test_damaged_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="polygons"):
        build_small(tmp_path, land=b"{}")
    with pytest.raises(DataFault, match="links"):
        read_links((HEADER + "Bridge,95,0,0,0,x\n").encode())


def test_the_packaged_file_is_small_and_knows_its_links() -> None:
    path = data_file("roads.sqlite")
    links = read_links(data_file("roads/links.csv").read_bytes())

    assert path.stat().st_size <= 20_000_000
    assert LandTiles(path).links == links
    assert len({link.name for link in links}) == len(links)


def test_tiles_are_numbered_round_the_earth() -> None:
    assert tile_number(-90, -180) == tile_number(-90, 180) == 0
    assert tile_number(90, 0) == tile_number(89, 0)
