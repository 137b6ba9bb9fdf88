"""The EU Clinical Trials Register: its text downloads, full or summary. Countries only.

Fields: the numbers of the EudraCT form (A.1 member state, A.3 title, B.1.1 sponsor, E.1.1 condition, E.7 phases, F.1
age, F.2 sex); https://www.clinicaltrialsregister.eu/about.html describes the download. A trial has one record for each
country. Its study is closed if all of them are; otherwise the register does not say whether it recruits.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sitematch.domain.studies.record import StudyRecord
from sitematch.domain.studies.status_words import read_status
from sitematch.domain.studies.study import RecruitmentStatus, Study
from sitematch.errors import DataFault, Fault
from sitematch.importers.limits import NO_LIMITS, BoundedReader, FileLimits, over_limit
from sitematch.importers.opened import open_file
from sitematch.importers.registers.parts import only_countries, read_day, unique
from sitematch.importers.text import tidy

_NUMBER = re.compile(r"\d{4}-\d{6}-\d{2}")
_LINE = re.compile(r"^((?:[A-Z]\.[\d.]*\d\s)?[A-Za-z][^:]{1,160}):(?:\s+(.*)|)$")
_START = "EudraCT Number"
_COUNTRY = re.compile(r"([A-Z]{2}|Outside EU/EEA)\(([^()]*)\)")
_CODE = re.compile(r"^[A-Z]\.[\d.]*\d")
_CLOSED = frozenset({RecruitmentStatus.COMPLETED, RecruitmentStatus.TERMINATED, RecruitmentStatus.WITHDRAWN})
_PHASES = {"E.7.1": "PHASE1", "E.7.2": "PHASE2", "E.7.3": "PHASE3", "E.7.4": "PHASE4"}


@dataclass(slots=True)
class _Trial:
    """All records of one trial: the first value of each field, and each country's status."""

    values: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)


def read_file(path: Path, read_on: date, *, limits: FileLimits = NO_LIMITS) -> Iterator[StudyRecord | Fault]:
    """Read the trials of a text download; see `sitematch.importers.ctgov.read_file`.

    Parameters
    ----------
    path
        Text in UTF-8, also gzipped. Its trials are kept in memory, because the records of a trial's countries may lie
        apart; a download has at most 50 trials.
    read_on
        Today: the date of the details of a trial without a date.
    limits
        The most that is read of the file.

    Raises
    ------
    InvalidInput
        If there is no such file.
    DataFault
        If it names no EudraCT number, is not UTF-8, or exceeds a limit.
    """
    trials: dict[str, _Trial] = {}
    for record in _records(path, limits):
        number = next(iter(_NUMBER.findall(record.get(_START, [""])[0])), "")
        if not number:
            yield Fault(0, _START, record.get(_START, [""])[0][:80], "is not a EudraCT number", place=path.name)
            continue
        trial = trials.setdefault(number, _Trial())
        if len(trials) > limits.records:
            raise over_limit(path.name, "records", limits.records)
        for name, values in record.items():
            trial.values.setdefault(name, values[0])
            trial.repeated[name] = [*trial.repeated.get(name, ()), *values]
        for country, status in _countries(record):
            trial.statuses[country] = status
    if not trials:
        reason = "contains no EudraCT number"
        raise DataFault(f"{path.name} {reason}.", faults=[Fault(0, _START, "", reason, place=path.name)])
    for number, trial in trials.items():
        yield _record(number, trial, read_on)


def _records(path: Path, limits: FileLimits) -> Iterator[dict[str, list[str]]]:
    """Yield the fields of each record, by number of the form or by name."""
    with ExitStack() as stack:
        file = stack.enter_context(open_file(path, "a text file"))
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        raw: Any = stack.enter_context(gzip.open(file)) if packed else file
        text = stack.enter_context(
            io.TextIOWrapper(io.BufferedReader(BoundedReader(raw, path.name, limits)), encoding="utf-8-sig")
        )
        record: dict[str, list[str]] = {}
        try:
            for line in text:
                found = _LINE.match(line.rstrip("\r\n"))
                if found is None:
                    continue
                name, value = tidy(found[1]), tidy(found[2] or "")
                if name == _START and record:
                    yield record
                    record = {}
                if record or name == _START:
                    code = _CODE.match(name)
                    record.setdefault(code[0] if code else name, []).append(value)
        except (UnicodeDecodeError, EOFError, OSError) as error:
            reason = f"the file cannot be read as UTF-8 text ({error}); is it complete?"
            raise DataFault(f"{path.name}: {reason}", faults=[Fault(0, "", "", reason, place=path.name)]) from error
        if record:
            yield record


def _countries(record: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield each country of a record with its status; a full record has one, a summary all."""
    for text in record.get("Trial protocol", ()):
        yield from _COUNTRY.findall(text)
    for text in record.get("A.1", ()):
        # "Germany - BfArM": the authority follows the country.
        yield text.partition(" - ")[0], next(iter(record.get("Trial Status", ())), "")


def _record(number: str, trial: _Trial, read_on: date) -> StudyRecord:
    def at(*names: str) -> str:
        return next((text for name in names if (text := trial.values.get(name, ""))), "")

    status, notices = _status(trial.statuses)
    dates = ("Date on which this record was first entered in the EudraCT database", "Start Date")
    as_of_on = next((day for name in dates if (day := read_day(at(name)))), None)
    study = Study(
        study_id=number,
        title=at("A.3.1", "A.3", "Full Title") or number,
        status=status,
        as_of_on=as_of_on or read_on,
        source=f"EU Clinical Trials Register {number}" + ("" if as_of_on else " (the record has no date)"),
        summary=at("E.2.1"),
        sponsor=at("B.1.1", "Sponsor Name"),
        other_ids=unique(
            (
                at("A.3.2"),
                at("A.4.1", "Sponsor's Protocol Code Number", "Sponsor Protocol Number"),
                *(at(code) for code in ("A.5.1", "A.5.2", "A.5.3")),
            ),
            without=number,
        ),
        conditions=unique(trial.repeated.get("E.1.1", trial.repeated.get("Medical condition", []))),
        keywords=unique(trial.repeated.get("E.1.2", [])[:20]),
        interventions=unique((*trial.repeated.get("D.3.1", []), *trial.repeated.get("D.3.8", []))),
        phases=tuple(phase for code, phase in _PHASES.items() if at(code).lower().startswith("yes")),
        sex=_sex(at("F.2.1"), at("F.2.2"), at("Gender")),
    )
    return StudyRecord(
        study=study,
        locations=(),
        faults=(),
        given=0,
        states_status=status is not RecruitmentStatus.UNKNOWN,
        notices=(*notices, only_countries(trial.statuses)),
        lists_sites=False,
    )


def _status(statuses: dict[str, str]) -> tuple[RecruitmentStatus, tuple[str, ...]]:
    read = [read_status(text) for text in statuses.values()]
    if read and all(status in _CLOSED for status in read):
        if RecruitmentStatus.COMPLETED in read:
            return RecruitmentStatus.COMPLETED, ()
        return read[0] or RecruitmentStatus.UNKNOWN, ()
    told = ", ".join(f"{country}: {text or 'none'}" for country, text in statuses.items())
    return RecruitmentStatus.UNKNOWN, (f"The register does not say whether the study recruits ({told[:300]}).",)


def _sex(female: str, male: str, both: str) -> str:
    texts = female.lower(), male.lower()
    if texts in (("yes", "no"), ("no", "yes")):
        return "FEMALE" if texts[0] == "yes" else "MALE"
    return {"female": "FEMALE", "male": "MALE"}.get(both.strip().lower(), "ALL")
