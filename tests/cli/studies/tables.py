"""Tables in every form that `sitematch import csv` reads: the same cells as CSV, as a workbook and as NDJSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

Rows = Sequence[Sequence[str]]
WriteTable = Callable[[Path, Rows], Path]


def as_csv(folder: Path, rows: Rows) -> Path:
    path = folder / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return path


def as_workbook(folder: Path, rows: Rows) -> Path:
    from openpyxl import Workbook

    workbook = Workbook()
    assert workbook.active is not None
    for row in rows:
        workbook.active.append(list(row))
    path = folder / "table.xlsx"
    workbook.save(path)
    return path


def as_ndjson(folder: Path, rows: Rows) -> Path:
    header, *rest = rows
    path = folder / "table.ndjson"
    path.write_text("".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rest), encoding="utf-8")
    return path


FORMS: dict[str, WriteTable] = {"csv": as_csv, "workbook": as_workbook, "ndjson": as_ndjson}
