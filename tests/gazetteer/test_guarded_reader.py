"""A gazetteer that is open in a server may be damaged, cut or replaced: it answers from what was opened, or says no."""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sitematch.errors import NotReady
from sitematch.gazetteer.guarded_reader import GuardedReader
from sitematch.gazetteer.reader import Reader
from tests.api.builders import make_gazetteer

MIAMI = ("US", "33180")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_gazetteer(tmp_path / "gazetteer.sqlite")


def test_answers_as_the_plain_reader_does(gazetteer_path: Path) -> None:
    plain, guarded = Reader(gazetteer_path), GuardedReader(gazetteer_path)

    for country, key in (("US", "33180"), ("GB", "SW1A"), ("DE", "10115"), ("US", "nothing")):
        assert guarded.postcode(country, key) == plain.postcode(country, key)
        assert guarded.has_postcode(country, key) == plain.has_postcode(country, key)
    assert guarded.towns("springfield", "US") == plain.towns("springfield", "US")
    assert guarded.sources == plain.sources
    assert guarded.digest == plain.digest


def cut(file: Path) -> None:
    os.truncate(file, 4096)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def overwrite(file: Path) -> None:
    file.write_bytes(random.Random(7).randbytes(file.stat().st_size))


def write_another(file: Path) -> None:
    other = file.with_name("other.sqlite")
    make_gazetteer(other)
    file.write_bytes(other.read_bytes())


def flip(file: Path) -> None:
    with file.open("r+b") as content:
        content.seek(file.stat().st_size - 10)
        content.write(b"?")


@pytest.mark.parametrize("harm", [cut, empty, overwrite, write_another, flip])
def test_file_that_was_written_into_is_refused_and_never_ends_the_process(
    file: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    reader = GuardedReader(file, handles=2)
    before = reader.postcode(*MIAMI)
    harm(file)

    for _ in range(3):
        with pytest.raises(NotReady, match="restart sitematch"):
            reader.postcode(*MIAMI)
    with pytest.raises(NotReady):
        reader.check()

    assert before is not None
    assert len(caplog.records) == 1  # it is said once, not at every look-up


def test_file_that_is_put_back_is_read_again(file: Path, tmp_path: Path) -> None:
    reader = GuardedReader(file, handles=2)
    kept = shutil.copy2(file, tmp_path / "kept")
    before = reader.postcode(*MIAMI)
    cut(file)
    with pytest.raises(NotReady):
        reader.postcode(*MIAMI)

    file.write_bytes(kept.read_bytes())
    shutil.copystat(kept, file)

    assert reader.postcode(*MIAMI) == before


@pytest.mark.parametrize("is_deleted", [False, True])
def test_file_that_another_was_renamed_over_is_read_on_as_it_was_by_every_thread(file: Path, is_deleted: bool) -> None:
    reader = GuardedReader(file, handles=2)
    before = reader.postcode(*MIAMI)
    if is_deleted:
        file.unlink()
    else:
        other = file.with_name("other.sqlite")
        other.write_bytes(b"no gazetteer at all")
        other.replace(file)
    found = []
    threads = [threading.Thread(target=lambda: found.append(reader.postcode(*MIAMI))) for _ in range(20)]
    for thread in threads:
        thread.start()
        thread.join()

    assert found == [before] * 20


def test_more_threads_than_connections_are_refused_rather_than_given_another_file(file: Path) -> None:
    reader = GuardedReader(file, handles=0)
    reader.forget_connections()
    other = file.with_name("other.sqlite")
    make_gazetteer(other)
    other.replace(file)

    with pytest.raises(NotReady):
        reader.postcode(*MIAMI)


def test_damaged_pages_are_found(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 100] = bytes(100)
    file.write_bytes(content)

    try:
        damage = Reader(file).damage()
    except NotReady as error:
        damage = error.message

    assert damage


def test_plain_reader_says_in_words_that_the_file_became_unreadable(file: Path) -> None:
    reader = Reader(file)
    file.write_bytes(random.Random(7).randbytes(file.stat().st_size))

    with pytest.raises(NotReady, match="cannot be read as a gazetteer"):
        for key in range(1000):
            reader.postcode("US", str(key))
