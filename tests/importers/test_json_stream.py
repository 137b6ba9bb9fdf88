"""Files of any size, one record at a time."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitematch.errors import DataFault, InvalidInput
from sitematch.importers.json_stream import CHUNK_CHARACTERS, read_items, read_stream

LISTS = frozenset({"studies"})


def items(text: str) -> list[object]:
    return [item.value for item in read_stream(io.StringIO(text), "file.json", LISTS, frozenset({"totalCount"}))]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ("{}", [{}]),
        ('[{"a": 1}, 2 ,[3]]', [{"a": 1}, 2, [3]]),
        ("[]", []),
        (' \n{"studies": [{"a": 1}, {"a": 2}], "next": {"x": [1]}}\n', [{"a": 1}, {"a": 2}]),
        ('{"totalCount": 1, "studies": [{"a": 1}]}', [{"a": 1}]),
        ('{"studies": []}', []),
        ('{"a": 1}\n\n{"a": 2}\r\n', [{"a": 1}, {"a": 2}]),
        ('{"studies": [1]}{"studies": [2]}[3]', [1, 2, 3]),
        ('{"studies": "not a list"}', []),
    ],
)
def test_every_shape_gives_its_records_in_order(text: str, values: list[object]) -> None:
    assert items(text) == values


def test_a_record_longer_than_a_chunk_and_one_across_two_are_whole() -> None:
    long = {"text": 'x\\"]}' * CHUNK_CHARACTERS}
    values = [{"n": n, "text": "y" * 1_000} for n in range(600)]

    assert items(json.dumps([*values, long, *values])) == [*values, long, *values]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"a": 1', 1),
        ('{"a": 1}\n{"a": }', 2),
        ('[{"a": 1}\n{"a": 2}]', 2),
        ('{"a": 1}\n\nhello', 3),
        ('{"studies": [1, 2', 1),
        ('[1,]', 1),
        ('{"a": "unended', 1),
        ("[" * 100_000, 1),
        ("[" + "9" * 5_000 + "]", 1),
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(DataFault) as caught:
        items(text)

    assert f"line {line}" in caught.value.message


def test_a_fault_in_the_middle_is_found_without_reading_the_rest() -> None:
    class Endless(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            return ('{"a": 1}\n{"a": oops}\n' + '{"a": 1}\n' * 100_000)[: size or 0]

    with pytest.raises(DataFault, match="line 2"):
        list(read_stream(Endless(), "file.json", LISTS))


def test_empty_and_missing_files_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="empty"):
        items(" \n ")
    with pytest.raises(InvalidInput, match="no file"):
        list(read_items(tmp_path / "nothing.json", lists=LISTS))
    with pytest.raises(InvalidInput):
        list(read_items(tmp_path, lists=LISTS))


def test_gzip_and_zip_are_opened(tmp_path: Path) -> None:
    packed = tmp_path / "studies.json.gz"
    packed.write_bytes(gzip.compress(b'{"a": 1}'))
    archive = tmp_path / "studies.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("b.json", '{"a": 2}')
        file.writestr("a.json", '{"a": 1}')
        file.writestr("readme.txt", "no record")

    assert [item.value for item in read_items(packed, lists=LISTS)] == [{"a": 1}]
    assert [item.value for item in read_items(archive, lists=LISTS)] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe{}", gzip.compress(b'{"a": 1}' * 500, mtime=0)[:-20], b"PK\x03\x04 no archive"]
)
def test_a_damaged_file_is_a_fault_of_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(content)

    with pytest.raises(DataFault, match="damaged"):
        list(read_items(path, lists=LISTS))


def test_memory_does_not_grow_with_the_file() -> None:
    class Lines(io.TextIOBase):
        """So many records, made as they are read."""

        def __init__(self, count: int) -> None:
            self.pieces: Iterator[str] = (json.dumps({"n": n, "text": "z" * 2_000}) + "\n" for n in range(count))

        def read(self, size: int | None = -1) -> str:
            return "".join(piece for _, piece in zip(range(100), self.pieces, strict=False))

    def peak(count: int) -> int:
        tracemalloc.start()
        read = sum(1 for _ in read_stream(Lines(count), "lines", LISTS))  # type: ignore[arg-type]
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert read == count
        return highest

    assert peak(10_000) < 1.5 * peak(1_000)
