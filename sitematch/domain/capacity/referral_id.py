"""Which texts may be a referral's id: opaque ones, and none that looks like a person's number or birth date."""

from __future__ import annotations

import re

_DATE_PARTS = re.compile(r"(?<![0-9])(\d{1,4})[-._:](\d{1,2})[-._:](\d{1,4})(?![0-9])")
_COMPACT_DATE = re.compile(r"(?<![0-9])(\d{8})(?![0-9])")
_SOCIAL_SECURITY = re.compile(r"(?<![0-9])(?!000|666|9)\d{3}[-._:]\d{2}[-._:]\d{4}(?![0-9])")
_BIRTH_NUMBER = re.compile(r"(?<![0-9])(\d{2})(\d{2})(\d{2})[-._:]\d{4}(?![0-9])")
_TEN_DIGITS = re.compile(r"(?<![0-9])\d{3}[-._:]?\d{3}[-._:]?\d{4}(?![0-9])")
_LABELLED = re.compile(r"(?i)(?<![a-z])(mrn|nhs|ssn|dob|chi|nino|hic|mbi)(?![a-z])")
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_LONGEST_NUMBER = 7
"""Digits in a row that a study's own counting may need; hospital record numbers are often longer."""


def personal_number(referral_id: str) -> str:
    """Return what an id looks like if it seems to identify a person.

    Parameters
    ----------
    referral_id
        The id.

    Returns
    -------
    str
        In words, with the article; empty if the id looks like none of them.

    Notes
    -----
    These are recognised: dates of 1900 to 2099 in any order of day, month and year; US social security numbers; NHS
    numbers with a correct check digit (modulus 11, NHS Data Dictionary); national numbers that begin with a birth date
    and end with four digits (Denmark, Sweden); an id that names the kind of its number (MRN, NHS, SSN, DOB); and
    numbers alone of more than seven digits, as hospital record numbers are. Some harmless ids are refused too.

    Examples
    --------
    >>> personal_number("p-1984-03-12"), personal_number("943.476.5919"), personal_number("MRN-4711")
    ('a birth date', 'an NHS number', 'a medical record number')
    >>> personal_number("r-04a7"), personal_number("101-0042"), personal_number("SITE12-000345")
    ('', '', '')
    """
    if label := _LABELLED.search(referral_id):
        return _LABELS.get(label[1].lower(), "a medical record number")
    if _has_date(referral_id):
        return "a birth date"
    if _SOCIAL_SECURITY.search(referral_id):
        return "a social security number"
    if any(_is_nhs("".join(filter(str.isdigit, found[0]))) for found in _TEN_DIGITS.finditer(referral_id)):
        return "an NHS number"
    if any(_is_day(found[1], found[2]) or _is_day(found[3], found[2]) for found in _BIRTH_NUMBER.finditer(referral_id)):
        return "a national identity number"
    if referral_id.isdigit() and len(referral_id) > _LONGEST_NUMBER:
        return "a medical record number"
    return ""


_LABELS = {"dob": "a birth date", "ssn": "a social security number", "nhs": "an NHS number"}


def _has_date(text: str) -> bool:
    for found in _DATE_PARTS.finditer(text):
        first, middle, last = found.groups()
        for year, others in ((first, (middle, last)), (last, (first, middle))):
            if _is_year(year) and any(_is_day(day, month) for day, month in (others, others[::-1])):
                return True
    for found in _COMPACT_DATE.finditer(text):
        digits = found[1]
        if _is_year(digits[:4]) and _is_day(digits[6:], digits[4:6]):
            return True
        if _is_year(digits[4:]) and (_is_day(digits[:2], digits[2:4]) or _is_day(digits[2:4], digits[:2])):
            return True
    return False


def _is_year(text: str) -> bool:
    return len(text) == 4 and _FIRST_YEAR <= int(text) <= _LAST_YEAR


def _is_day(day: str, month: str) -> bool:
    return len(day) <= 2 and len(month) <= 2 and 1 <= int(day) <= 31 and 1 <= int(month) <= 12


def _is_nhs(digits: str) -> bool:
    check = 11 - sum(int(digit) * (10 - at) for at, digit in enumerate(digits[:9])) % 11
    return check != 10 and check % 11 == int(digits[9])
