"""The parts of a study's record that registers write in different ways: numbers, dates, ages, phases."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise

from sitematch.importers.text import tidy

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?!\d)")
_BACKWARDS = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_IN_WORDS = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %Y")
_AGE = re.compile(r"(\d+)\s*(year|month|week|day|hour|minute|[ymwd]\b)?", re.IGNORECASE)
_PER_YEAR = {"y": 1, "m": 12, "w": 52, "d": 365, "h": 8_766}
_NO_AGE = re.compile(r"\b(?:no|none|n/?a|not)\b|no limit", re.IGNORECASE)
_PHASES = (
    ("EARLY_PHASE1", re.compile(r"\b(?:early phase\s*1|phase\s*0|exploratory ind)\b", re.IGNORECASE)),
    ("PHASE1", re.compile(r"(?<![\w-])(?:phase\s*)?(?:1|i)(?:[ab])?(?![\w])", re.IGNORECASE)),
    ("PHASE2", re.compile(r"(?<![\w-])(?:phase\s*)?(?:2|ii)(?:[ab])?(?![\w])", re.IGNORECASE)),
    ("PHASE3", re.compile(r"(?<![\w-])(?:phase\s*)?(?:3|iii)(?:[ab])?(?![\w])", re.IGNORECASE)),
    ("PHASE4", re.compile(r"(?<![\w-])(?:phase\s*)?(?:4|iv)(?:[ab])?(?![\w])", re.IGNORECASE)),
)


def register_id(text: str) -> str:
    """Return a register's number as a study id; empty if it cannot be one.

    Examples
    --------
    >>> register_id("CTRI/2020/03/024402 "), register_id("nct06064929"), register_id("no number")
    ('CTRI-2020-03-024402', 'NCT06064929', '')
    """
    named = re.sub(r"\s*/\s*", "-", tidy(text))
    named = named.upper() if re.fullmatch(r"(?i)(?:nct\d{8}|isrctn\d{8})", named) else named
    return named if _ID.fullmatch(named) else ""


def read_day(text: str) -> date | None:
    """Read a date as registers write it; a day of three numbers begins with the day, as the WHO asks.

    Examples
    --------
    >>> read_day("2024-03-05T10:00:00Z"), read_day("05/03/2024"), read_day("5 March 2024"), read_day("2024-03")
    (datetime.date(2024, 3, 5), datetime.date(2024, 3, 5), datetime.date(2024, 3, 5), datetime.date(2024, 3, 1))
    >>> print(read_day("soon"), read_day("31/02/2024"))
    None None
    """
    text = text.strip()
    try:
        if found := _ISO.match(text) or _COMPACT.match(text):
            return date(int(found[1]), int(found[2]), int(found[3] or 1))
        if found := _BACKWARDS.match(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:  # for example 31 February
        return None
    for form in _IN_WORDS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date has no time zone
        except ValueError:
            continue
    return None


def read_years(text: str) -> int | None:
    """Read an age in whole years, rounded down; None if there is no limit or it is not a number.

    Examples
    --------
    >>> read_years("18 Years"), read_years("8 Months"), read_years("65Y"), read_years("No limit"), read_years("")
    (18, 0, 65, None, None)
    """
    found = None if _NO_AGE.search(text) else _AGE.search(text)
    if found is None:
        return None
    unit = (found[2] or "y")[0].lower()
    whole = int(found[1][:6])
    if (found[2] or "").lower().startswith("min"):
        return 0
    return whole // _PER_YEAR[unit]


def read_sex(text: str) -> str:
    """Return ``"FEMALE"`` or ``"MALE"`` if a record names only one of them, otherwise ``"ALL"``.

    Examples
    --------
    >>> read_sex("Female: yes Male: no"), read_sex("Male"), read_sex("Both, male and female"), read_sex("F")
    ('FEMALE', 'MALE', 'ALL', 'FEMALE')
    """
    words = re.findall(r"[a-z]+", text.lower())
    for word, other in (("female", "male"), ("male", "female")):
        denied = any(pair == (other, "no") for pair in pairwise(words))
        if word in words and (other not in words or denied):
            return word.upper()
    return {"f": "FEMALE", "m": "MALE"}.get("".join(words), "ALL")


def read_phases(text: str) -> tuple[str, ...]:
    """Return the phases in ClinicalTrials.gov's terms.

    Examples
    --------
    >>> read_phases("Phase II/III"), read_phases("Phase 1"), read_phases("N/A"), read_phases("2-3")
    (('PHASE2', 'PHASE3'), ('PHASE1',), (), ('PHASE2', 'PHASE3'))
    """
    if _PHASES[0][1].search(text):
        return (_PHASES[0][0],)
    spaced = text.replace("-", " ").replace("_", " ")
    return tuple(name for name, pattern in _PHASES[1:] if pattern.search(spaced))


def listed(text: str, separator: str = ";") -> tuple[str, ...]:
    """Return the parts of a list in one text, without empty and repeated ones."""
    return unique(text.split(separator))


def unique(texts: Iterable[str], without: str = "") -> tuple[str, ...]:
    """Return the texts that are not empty, tidied, each once."""
    return tuple(dict.fromkeys(text for each in texts if (text := tidy(each)) and text != without))


def only_countries(countries: Iterable[str]) -> str:
    """Return the notice about a record without places."""
    named = ", ".join(unique(countries))
    return (
        f"The record names only countries, no places: {named[:300] or 'none'}. "
        "The study is imported without sites, and sites that it has stay as they are."
    )
