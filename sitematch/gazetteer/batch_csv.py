"""Locating every row of a CSV file as a stream: answers into one file, rejects with reasons into another."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitematch.domain.place import Place
from sitematch.errors import DataFault, Fault, SitematchError
from sitematch.gazetteer.grammar import parse_country
from sitematch.gazetteer.locate import Gazetteer


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """The result for a file.

    Parameters
    ----------
    rows
        Rows read, without the header.
    located
        Rows written to the answers.
    with_notes
        Of those, rows whose place has notes: a coarser part, a contradiction.
    rejected
        Rows written to the rejects, with the reason.
    """

    rows: int
    located: int
    with_notes: int
    rejected: int


Progress = Callable[[int, int], None]
"""Called regularly with the bytes read so far and the total bytes."""

CODE_NAMES = ("postcode", "postal_code", "postalcode", "zip", "zipcode", "zip_code", "code", "plz")
COUNTRY_NAMES = ("country", "country_code", "countrycode", "iso2", "nation")
TOWN_NAMES = ("town", "city", "locality", "place")
STATE_NAMES = ("state", "province", "region", "admin")
ANSWERS = ("matched_country", "matched_postcode", "latitude", "longitude", "precision", "uncertainty_km", "place",
           "source", "notes")  # fmt: skip
"""Columns that `locate_batch` adds."""

REJECTS = ("line", "reason", "suggestions")
"""Columns that `locate_batch` adds to rejected rows."""

_EVERY = 1000


def locate_batch(
    gazetteer: Gazetteer,
    in_path: str | os.PathLike[str],
    out_path: str | os.PathLike[str],
    rejects_path: str | os.PathLike[str],
    *,
    country: str | None = None,
    hints: Sequence[str] = (),
    progress: Progress | None = None,
) -> BatchSummary:
    """Locate every row of a CSV file.

    Parameters
    ----------
    gazetteer
        An open gazetteer.
    in_path
        UTF-8, with or without a byte order mark, any line endings, a header. A column of `CODE_NAMES` or `TOWN_NAMES`
        is required; `COUNTRY_NAMES` and `STATE_NAMES` are used if present.
    out_path
        Gets the located rows: every input column, then `ANSWERS`.
    rejects_path
        Gets the others: every input column, then `REJECTS`.
    country
        For rows without a country.
    hints
        See `Gazetteer.locate`.
    progress
        See `Progress`.

    Returns
    -------
    BatchSummary
        Every row read is in exactly one of the two files, in the order read.

    Raises
    ------
    DataFault
        If the file is empty, is not UTF-8, lacks a needed column, or repeats one; nothing is written then.
    UnknownCountry
        If `country` or a hint is not known.
    ValueError
        If two of the three paths are the same file.
    OSError
        If a file cannot be read or written.

    Notes
    -----
    Memory use does not grow with the file. Both files appear only when complete.
    """
    source, out, rejects = (Path(path).resolve() for path in (in_path, out_path, rejects_path))
    if len({source, out, rejects}) < 3:
        raise ValueError("The input, the output and the rejects must be three different files.")
    default = parse_country(country) if country else None
    hinted = tuple(parse_country(hint) for hint in hints)
    # newline="": the csv module must see line endings inside quotes unchanged.
    partial = {path: path.with_name(path.name + ".part") for path in (out, rejects)}
    try:
        with source.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(_measured(lines, source.stat().st_size, progress), restkey="", strict=True)
            columns = _Columns.of(reader.fieldnames or ())
            with (
                partial[out].open("w", encoding="utf-8", newline="") as good,
                partial[rejects].open("w", encoding="utf-8", newline="") as bad,
            ):
                summary = _stream(gazetteer, reader, columns, good, bad, default, hinted)
        for path, written in partial.items():
            written.replace(path)
    except UnicodeDecodeError as fault:
        raise _broken("", f"not UTF-8 ({fault.reason}); save it as UTF-8 CSV") from None
    except csv.Error as fault:
        raise _broken("", f"not a CSV file: {fault}") from None
    finally:
        # Only incomplete files still exist.
        for written in partial.values():
            written.unlink(missing_ok=True)
    return summary


def _measured(lines: Any, total: int, progress: Progress | None) -> Iterator[str]:
    read = 0
    for number, line in enumerate(lines):
        if progress is not None:
            read += len(line.encode())
            if number % _EVERY == 0:
                progress(min(read, total), total)
        yield line
    if progress is not None:
        progress(total, total)


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    code: str | None
    country: str | None
    town: str | None
    state: str | None

    @classmethod
    def of(cls, header: Sequence[str]) -> _Columns:
        if not header:
            raise _broken("", "the file is empty; a header and at least a postcode column are needed")
        folded: dict[str, str] = {}
        for name in header:
            key = name.strip().lower().replace(" ", "_")
            if key in folded:
                raise _broken(name, "the column stands there twice")
            folded[key] = name

        def first(names: tuple[str, ...]) -> str | None:
            return next((folded[name] for name in names if name in folded), None)

        columns = cls(tuple(header), first(CODE_NAMES), first(COUNTRY_NAMES), first(TOWN_NAMES), first(STATE_NAMES))
        if columns.code is None and columns.town is None:
            raise _broken("", f"no column with a postcode ({', '.join(CODE_NAMES)}) or town ({', '.join(TOWN_NAMES)})")
        return columns


def _broken(field: str, reason: str) -> DataFault:
    fault = Fault(line=1 if field else 0, field=field, value="", reason=reason)
    return DataFault(f"The file cannot be read: {fault}.", faults=[fault])


def _stream(
    gazetteer: Gazetteer,
    reader: csv.DictReader[str],
    columns: _Columns,
    good: Any,
    bad: Any,
    default: str | None,
    hints: tuple[str, ...],
) -> BatchSummary:
    answers = csv.writer(good)
    answers.writerow([*columns.names, *ANSWERS])
    rejects = csv.writer(bad)
    rejects.writerow([*columns.names, *REJECTS])
    rows = located = with_notes = 0
    for row in reader:
        rows += 1
        given = [row.get(name) or "" for name in columns.names]
        try:
            if "" in row and "" not in columns.names:
                raise _broken("", "the row has more fields than the header")
            place = _located(gazetteer, row, columns, default, hints)
        except SitematchError as fault:
            offered = getattr(fault, "suggestions", ()) or getattr(fault, "candidates", ())
            texts = "; ".join(f"{s.text} ({s.country})" for s in offered)
            rejects.writerow([*given, reader.line_num, fault.message if hasattr(fault, "message") else fault, texts])
        else:
            located += 1
            with_notes += bool(place.notes)
            answers.writerow([*given, *_fields(place)])
    return BatchSummary(rows=rows, located=located, with_notes=with_notes, rejected=rows - located)


def _located(
    gazetteer: Gazetteer, row: dict[str, Any], columns: _Columns, default: str | None, hints: tuple[str, ...]
) -> Place:
    def cell(name: str | None) -> str:
        return (row.get(name) or "").strip() if name is not None else ""

    town = cell(columns.town)
    if town and cell(columns.state):
        town = f"{town}, {cell(columns.state)}"
    return gazetteer.locate(cell(columns.code), cell(columns.country) or default, town=town or None, hints=hints)


def _fields(place: Place) -> tuple[object, ...]:
    return (
        place.country,
        place.postcode or "",
        place.coordinates.latitude,
        place.coordinates.longitude,
        str(place.precision),
        place.uncertainty_km,
        place.name,
        place.source,
        " ".join(place.notes),
    )
