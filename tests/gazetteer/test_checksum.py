"""The checksum that a gazetteer carries of itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sitematch.errors import NotReady
from sitematch.gazetteer.checksum import verify
from tests.gazetteer_build.test_writing import write_small


def test_a_file_as_it_was_built_is_whole(tmp_path: Path) -> None:
    write_small(tmp_path / "one.sqlite")
    write_small(tmp_path / "two.sqlite")

    assert verify(tmp_path / "one.sqlite") == verify(tmp_path / "two.sqlite")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.999])
def test_one_changed_byte_anywhere_is_noticed(tmp_path: Path, share: float) -> None:
    path = tmp_path / "one.sqlite"
    write_small(path)
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)

    with pytest.raises(NotReady, match="damaged"):
        verify(path)


def test_a_file_that_lost_its_end_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    write_small(path)
    path.write_bytes(path.read_bytes()[:-4096])

    with pytest.raises(NotReady, match="gazetteer build"):
        verify(path)


def test_a_missing_an_empty_and_another_file_say_how_to_build_it(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    sqlite3.connect(tmp_path / "other").close()
    (tmp_path / "text").write_text("no gazetteer")

    for name in ("missing", "empty", "other", "text"):
        with pytest.raises(NotReady, match="gazetteer build"):
            verify(tmp_path / name)


def test_a_sealed_file_opens_and_its_table_shows_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    write_small(path)

    connection = sqlite3.connect(path)
    (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    (stored,) = connection.execute("SELECT value FROM meta WHERE key = 'file'").fetchone()
    connection.close()

    assert sound == "ok"
    assert stored.endswith(verify(path))
