"""sitematch's own extensions in FHIR resources, for details without an element in R4."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from sitematch.domain import fhir as words
from sitematch.domain.studies.design import TrialDesign
from sitematch.domain.studies.study import Phase, RecruitmentStatus, Study
from sitematch.domain.studies.travel import TravelCertainty, TravelKind, TravelSupport
from sitematch.importers.text import tidy

_Code = TypeVar("_Code", bound=StrEnum)
_T = TypeVar("_T")
_Element = Mapping[str, Any]


def recruitment_status(element: _Element) -> RecruitmentStatus | None:
    """Return the status in ClinicalTrials.gov's terms; None if it is missing or unknown."""
    return next(_codes(RecruitmentStatus, _texts(element, words.RECRUITMENT_STATUS)), None)


def is_stand_in(element: _Element) -> bool:
    """Return whether a Location has the details of a site of another study."""
    return any(True for _ in _all(element, words.STAND_IN))


def study_facts(element: _Element) -> dict[str, Any]:
    """Return the fields of a `Study` from the extensions of a ResearchStudy; unreadable ones are left out."""
    facts: dict[str, Any] = {
        "status": recruitment_status(element),
        "as_of_on": next((day for text in _texts(element, words.AS_OF) if (day := _day(text))), None),
        "phases": tuple(_texts(element, words.PHASE)),
        "notice": next(_texts(element, words.NOTICE), ""),
        "history": tuple(_texts(element, words.HISTORY)),
        "timeline": tuple(part for one in _all(element, words.TIMELINE) if (part := _phase(one))),
        "design": next(filter(None, map(_design, _values(element, words.DESIGN, "valueString", str))), None),
        "has_placebo": next(_values(element, words.PLACEBO, "valueBoolean", bool), None),
    }
    for travel in _all(element, words.TRAVEL_SUPPORT):
        facts["travel"] = _travel(travel)
        facts["time_reimbursement"] = next(_texts(travel, "time-reimbursement"), "")
    for who in _all(element, words.ELIGIBILITY):
        facts["age_min_years"] = next(_numbers(who, "age-min-years"), None)
        facts["age_max_years"] = next(_numbers(who, "age-max-years"), None)
        facts["sex"] = next((text for text in _texts(who, "sex") if text in ("FEMALE", "MALE")), None)
        facts["who"] = tuple(_texts(who, "who"))
        facts["who_not"] = tuple(_texts(who, "who-not"))
    fields = Study.__slots__
    return {name: value for name, value in facts.items() if name in fields and value not in (None, "", ())}


def _design(text: str) -> TrialDesign | None:
    try:
        return msgspec.json.decode(text, type=TrialDesign)
    except msgspec.DecodeError:
        return None


def _all(element: _Element, url: str) -> Iterator[_Element]:
    found = element.get("extension")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and one.get("url") == url:
            yield one


def _texts(element: _Element, url: str) -> Iterator[str]:
    """Yield the texts, codes and dates of the extensions with a URL."""
    for name in ("valueString", "valueCode", "valueDate"):
        for text in _values(element, url, name, str):
            if text := tidy(text):
                yield text


def _numbers(element: _Element, url: str) -> Iterator[int]:
    return (number for number in _values(element, url, "valueInteger", int) if number >= 0)


def _values(element: _Element, url: str, name: str, kind: type[_T]) -> Iterator[_T]:
    for one in _all(element, url):
        value = one.get(name)
        if type(value) is kind:
            yield value


def _travel(element: _Element) -> TravelSupport:
    certainty = next(_codes(TravelCertainty, _texts(element, "certainty")), TravelCertainty.UNKNOWN)
    given = frozenset(_codes(TravelKind, _texts(element, "kind")))
    kinds = tuple(kind for kind in TravelKind if kind in given)
    return TravelSupport(certainty=certainty, kinds=kinds)


def _phase(element: _Element) -> Phase | None:
    name = next(_texts(element, "name"), "")
    least, most = (next(_numbers(element, url), None) for url in ("weeks-min", "weeks-max"))
    return None if not name or least is None or most is None else Phase(name=name, weeks_min=least, weeks_max=most)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _codes(codes: type[_Code], texts: Iterable[str]) -> Iterator[_Code]:
    """Yield the codes among some texts."""
    for text in texts:
        with contextlib.suppress(ValueError):
            yield codes(text)
