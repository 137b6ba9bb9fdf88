"""Matching every row of a CSV file as a stream: constant memory, and a run that was stopped continues where it was."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO

import msgspec

from sitematch.domain.table_cells import cell_text
from sitematch.errors import DataFault, Fault, InvalidInput
from sitematch.services.finding.many import MATCH_COLUMNS, REJECT_COLUMNS, ManyMatches, PatientQuery
from sitematch.services.finding.patient_columns import PatientColumns

ROWS_A_STEP = 5_000
"""Rows between two notes of how far the run is; a run that was stopped repeats at most these."""

MOST_REMEMBERED = 100_000
"""Distinct look-ups that are remembered at once: about 300 MB with five sites each."""

Progress = Callable[[int, int, int], None]
"""Called at each step with the rows done, the bytes read and all bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a file is read.

    Parameters
    ----------
    postcode, country, patient
        The names of these columns; None finds the first two by their usual names, and numbers the patients from 1.
    in_country
        The country of rows without one.
    asked
        A text that differs for each study and policy: a run continues only the same question.
    """

    postcode: str | None = None
    country: str | None = None
    patient: str | None = None
    in_country: str | None = None
    asked: str = ""


class MatchedFile(msgspec.Struct, frozen=True, kw_only=True):
    """The result for a file, or how far a run is.

    Parameters
    ----------
    rows, rejected
        Rows read, and those without matches.
    continued_at
        The number of rows that an earlier run had done.
    """

    rows: int = 0
    rejected: int = 0
    continued_at: int = 0


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What a run notes at each step; nothing of a patient is in it."""

    question: str
    rows: int
    rejected: int
    out_bytes: int
    rejects_bytes: int


def match_csv(
    many: ManyMatches,
    in_path: Path,
    out_path: Path,
    rejects_path: Path,
    options: BatchOptions,
    *,
    progress: Progress | None = None,
    restart: bool = False,
) -> MatchedFile:
    """Match every row of a CSV file.

    Parameters
    ----------
    many
        Answers the look-ups.
    in_path
        UTF-8 with a header; the columns are those of `PatientColumns`.
    out_path
        Gets one row for each patient and rank: ``patient``, then `MATCH_COLUMNS`. No column says where a patient is.
    rejects_path
        Gets one row for each patient without matches: ``patient``, then `REJECT_COLUMNS`. The reason may repeat what
        was typed.
    options, progress
        See `BatchOptions` and `Progress`.
    restart
        Whether to start again even if an earlier run of the same question was stopped.

    Returns
    -------
    MatchedFile
        Every row read is in exactly one of the two files, in the order read.

    Raises
    ------
    DataFault
        If the file is not UTF-8 CSV, is empty, or a row has more fields than the header.
    InvalidInput
        If a column is missing, or two of the three paths are the same file.
    OSError
        If a file cannot be read or written.

    Notes
    -----
    Only the owner can read the output. Until it is complete it is called ``….part``, beside a file ``….progress`` with
    the number of rows done; both stay if the run is stopped, and the next run continues. Its later rows then have the
    spots of the later time.
    """
    if len({path.resolve() for path in (in_path, out_path, rejects_path)}) < 3:
        raise InvalidInput("The input, the output and the rejects must be three different files.", field="out")
    parts = [path.with_name(path.name + ".part") for path in (out_path, rejects_path)]
    note_path = out_path.with_name(out_path.name + ".progress")
    state = in_path.stat()
    question = hashlib.sha256(
        repr((options, str(rejects_path.resolve()), state.st_size, state.st_mtime_ns)).encode()
    ).hexdigest()
    before = None if restart else _noted(note_path, question, parts)
    try:
        with ExitStack() as opened:
            read = opened.enter_context(in_path.open("rb"))
            reader = csv.reader(TextIOWrapper(read, encoding="utf-8-sig", newline=""), strict=True)
            header = next(reader, [])
            columns = PatientColumns.of(header, postcode=options.postcode, country=options.country) if header else None
            if columns is None:
                raise _broken(0, "the file is empty; a header is needed")
            if options.patient is not None and options.patient not in header:
                raise InvalidInput(f"There is no column {options.patient!r}.", field="patient")
            out, rejects = (opened.enter_context(_own_file(part, before is not None)) for part in parts)
            run = _Run(many, options, header, columns, out, rejects, question, note_path)
            if before is None:
                run.begin()
            else:
                run.resume(before)
            done = run.go(reader, read.tell, state.st_size, progress)
    except UnicodeDecodeError as fault:
        raise _broken(0, f"not UTF-8 ({fault.reason}); save it as UTF-8 CSV") from None
    except csv.Error as fault:
        raise _broken(0, f"not a CSV file: {fault}") from None
    for part, path in zip(parts, (out_path, rejects_path), strict=True):
        part.replace(path)
    note_path.unlink(missing_ok=True)
    return done


def _own_file(path: Path, is_continued: bool) -> IO[str]:
    """Open a file for writing that only its owner can read."""
    flags = os.O_RDWR | os.O_CREAT | (0 if is_continued else os.O_TRUNC)
    handle = os.open(path, flags, 0o600)
    os.fchmod(handle, 0o600)  # it may have been there before
    return os.fdopen(handle, "r+", encoding="utf-8", newline="")


def _noted(path: Path, question: str, parts: list[Path]) -> _Noted | None:
    try:
        noted = msgspec.json.decode(path.read_bytes(), type=_Noted)
        sizes = [part.stat().st_size for part in parts]
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    is_whole = sizes[0] >= noted.out_bytes and sizes[1] >= noted.rejects_bytes
    return noted if noted.question == question and is_whole else None


class _Run:
    def __init__(
        self,
        many: ManyMatches,
        options: BatchOptions,
        header: list[str],
        columns: PatientColumns,
        out: IO[str],
        rejects: IO[str],
        question: str,
        note_path: Path,
    ) -> None:
        self.many, self.options, self.columns = many, options, columns
        self.files = (out, rejects)
        self.out, self.rejects = csv.writer(out), csv.writer(rejects)
        self.question, self.note_path = question, note_path
        self.width = len(header)
        self.at = [None if name is None else header.index(name) for name in columns.in_order]
        self.patient_at = None if options.patient is None else header.index(options.patient)
        self.rows = self.rejected = self.continued_at = 0

    def begin(self) -> None:
        self.out.writerow(("patient", *MATCH_COLUMNS))
        self.rejects.writerow(("patient", *REJECT_COLUMNS))

    def resume(self, before: _Noted) -> None:
        for file, size in zip(self.files, (before.out_bytes, before.rejects_bytes), strict=True):
            file.truncate(size)
            file.seek(size)
        self.continued_at, self.rejected = before.rows, before.rejected

    def go(
        self, reader: Iterator[list[str]], read: Callable[[], int], total: int, progress: Progress | None
    ) -> MatchedFile:
        step: list[tuple[str, PatientQuery]] = []
        for cells in reader:
            if not cells:
                continue  # an empty line
            self.rows += 1
            if self.rows <= self.continued_at:
                continue
            if len(cells) > self.width:
                self._match(step)
                raise _broken(self.rows, f"row {self.rows} has more fields than the header")
            step.append(self._read(cells))
            if self.rows % ROWS_A_STEP == 0:
                self._match(step)
                self._note()
                step.clear()
                if progress is not None:
                    progress(self.rows, min(read(), total), total)
        self._match(step)
        for file in self.files:
            file.flush()
        if progress is not None:
            progress(self.rows, total, total)
        return MatchedFile(rows=self.rows, rejected=self.rejected, continued_at=self.continued_at)

    def _read(self, cells: list[str]) -> tuple[str, PatientQuery]:
        """Return the patient and the look-up of a row."""
        cells += [""] * (self.width - len(cells))
        asked = self.columns.asked(*(None if at is None else cells[at] for at in self.at))
        if not asked.country and self.options.in_country is not None:
            asked = asked._replace(country=self.options.in_country)
        return str(self.rows) if self.patient_at is None else cells[self.patient_at], asked

    def _match(self, step: Sequence[tuple[str, PatientQuery]]) -> None:
        """Answer the rows of a step together, and write them in their order."""
        self.many.answer_all(asked for _, asked in step)
        columns = self.many.columns
        for patient, asked in step:
            answered = self.many.answer(asked)
            for row in range(answered.start, answered.start + answered.count):
                self.out.writerow((cell_text(patient), *(cell_text(columns[name][row]) for name in MATCH_COLUMNS)))
            if answered.reject is not None:
                self.rejected += 1
                why = (getattr(answered.reject, name) for name in REJECT_COLUMNS)
                self.rejects.writerow((cell_text(patient), *map(cell_text, why)))
        if self.many.distinct >= MOST_REMEMBERED:
            self.many.forget()

    def _note(self) -> None:
        """Note how far the run is, after everything before is in the files."""
        for file in self.files:
            file.flush()
        noted = _Noted(
            question=self.question,
            rows=self.rows,
            rejected=self.rejected,
            out_bytes=os.fstat(self.files[0].fileno()).st_size,
            rejects_bytes=os.fstat(self.files[1].fileno()).st_size,
        )
        fresh = self.note_path.with_name(self.note_path.name + ".new")
        fresh.write_bytes(msgspec.json.encode(noted))
        fresh.replace(self.note_path)


def _broken(line: int, reason: str) -> DataFault:
    fault = Fault(line=line, field="", value="", reason=reason)
    return DataFault(f"The file cannot be read: {reason}.", faults=[fault])
