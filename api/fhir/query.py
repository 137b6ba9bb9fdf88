"""Parsing a FHIR search: names and modifiers, paging, includes; strict or lenient, as the client prefers."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from api.fhir import grammar
from api.fhir.params import OF_STUDIES, PARAMETERS, SORTS
from api.fhir.subset import WHOLE, Subset
from sitematch.domain import fhir as words
from sitematch.domain.studies.filters import SiteFilter, StudyFilter
from sitematch.domain.studies.order import SortOrder
from sitematch.domain.studies.study import RecruitmentStatus
from sitematch.domain.studies.text_match import Field, TextFit, TextTest
from sitematch.errors import InvalidInput
from sitematch.exporters.fhir.bundle import UNITS_KM
from sitematch.gazetteer.grammar import parse_country
from sitematch.geo.geodesic import FARTHEST_KM
from sitematch.services.exchange.fhir import INCLUDES, REVERSE_INCLUDES, ResourceKind
from sitematch.services.studies.directory import (
    PageMark,
    PagePosition,
    SearchCentre,
    SiteSearch,
    StudySearch,
)

DEFAULT_COUNT = 50
MAX_COUNT = 500
MAX_VALUES = 200
"""Maximum number of values over all parameters, because each is a condition for the database or for every candidate."""
MAX_SORTS = 3
"""Maximum number of fields in ``_sort``."""
MAX_TEXTS = 10
"""Maximum number of text values, because hundreds in a large catalogue would take seconds of CPU time."""
_SHOWN = 60
_FITS = {"": TextFit.STARTS, "contains": TextFit.CONTAINS, "exact": TextFit.EXACT}
_IGNORED_BY_DESIGN = frozenset({"_format", "_pretty"})
_TEXTS = {
    "name": Field.FACILITY,
    "address": Field.ADDRESS,
    "address-city": Field.CITY,
    "address-state": Field.STATE,
    "address-postalcode": Field.POSTCODE,
    "title": Field.TITLE,
    "condition": Field.CONDITION,
}
_LOCATION_STATUS_SYSTEM = "http://hl7.org/fhir/location-status"
_STUDY_STATUS_SYSTEM = "http://hl7.org/fhir/research-study-status"

_T = TypeVar("_T")
Pairs = Sequence[tuple[str, str]]
FindId = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSearch:
    """A parsed search.

    Parameters
    ----------
    kind
        The type searched for.
    sites, studies
        The queries; `studies` also limits the sites to those of matching studies, if `of_studies`.
    of_studies
        See `studies`.
    turn
        The page.
    included
        Types to include.
    unit
        UCUM code of the unit of distances.
    kept
        The recognised parameters, for links: without paging, with an explicit distance.
    ignored
        Names of unsupported parameters.
    subset
        The elements of the resources to send.
    """

    kind: ResourceKind
    sites: SiteSearch
    studies: StudySearch
    of_studies: bool
    turn: PagePosition
    included: frozenset[ResourceKind]
    unit: str
    kept: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    subset: Subset = WHOLE


def read_search(kind: ResourceKind, pairs: Pairs, find_id: FindId, *, strict: bool) -> ParsedSearch:
    """Parse a search.

    Parameters
    ----------
    kind
        The type searched for.
    pairs
        Names and values, in the given order.
    find_id
        Converts a FHIR id to ours; None for an unknown one.
    strict
        Whether to refuse unsupported parameters (``Prefer: handling=strict``) instead of ignoring and reporting them.

    Raises
    ------
    InvalidInput
        If a value is invalid, a modifier is unsupported or, if `strict`, a parameter is; `.field` names the parameter.
    UnknownCountry
        If a country is unknown.
    """
    counts = [(name, len(grammar.split(text, ","))) for name, text in pairs]
    if sum(count for _, count in counts) > MAX_VALUES:
        raise InvalidInput(f"A search can have at most {MAX_VALUES} values.")
    if sum(count for name, count in counts if _is_text(name)) > MAX_TEXTS:
        raise InvalidInput(f"A search can have at most {MAX_TEXTS} names, towns, titles and conditions.")
    reader = _Reader(kind, find_id)
    for name, text in pairs:
        if "\0" in text:
            raise InvalidInput(f"{name[:_SHOWN]} contains an invalid character.", field=name[:_SHOWN])
        if not reader.take(name, text):
            if strict:
                known = ", ".join(parameter.name for parameter in PARAMETERS[kind])
                raise InvalidInput(
                    f"{name[:_SHOWN]} is not supported for {kind.value}. Supported: {known}.", field=name[:_SHOWN]
                )
            reader.ignored.append(name[:_SHOWN])
    return reader.asked()


def _is_text(name: str) -> bool:
    """Return whether a parameter, plain, with a modifier or chained, is compared as a text."""
    return any(part in _TEXTS for part in re.split("[:.]", name))


class _Reader:
    """Collects parameters one by one."""

    def __init__(self, kind: ResourceKind, find_id: FindId) -> None:
        self.kind = kind
        self.find_id = find_id
        self.site = SiteFilter()
        self.study = StudyFilter()
        self.site_tests: list[TextTest] = []
        self.study_tests: list[TextTest] = []
        self.near: SearchCentre | None = None
        self.of_studies = False
        self.count = DEFAULT_COUNT
        self.order: SortOrder | None = None
        self.subset = WHOLE
        self.marks: dict[str, str] = {}
        self.included: set[ResourceKind] = set()
        self.unit = "km"
        self.kept: list[tuple[str, str]] = []
        self.ignored: list[str] = []

    def asked(self) -> ParsedSearch:
        marks = {name: self._mark(f"_{name}", text) for name, text in self.marks.items()}
        if len(marks) > 1:
            raise InvalidInput("Give _after or _before, not both.", field="_before")
        if self.order is not None and self.near is not None:
            raise InvalidInput("near orders by distance. Leave out _sort.", field="_sort")
        # Sites are ordered, not the studies that limit them.
        of_studies_alone = self.kind is ResourceKind.RESEARCH_STUDY
        return ParsedSearch(
            kind=self.kind,
            sites=SiteSearch(self.site, tuple(self.site_tests), self.near, self.order),
            studies=StudySearch(self.study, tuple(self.study_tests), self.order if of_studies_alone else None),
            of_studies=self.of_studies,
            turn=PagePosition(self.count, **marks),
            included=frozenset(self.included),
            unit=self.unit,
            kept=tuple(self.kept),
            ignored=tuple(dict.fromkeys(self.ignored)),
            subset=self.subset,
        )

    def take(self, name: str, text: str) -> bool:
        """Add a parameter; False if it is unsupported."""
        if name in _IGNORED_BY_DESIGN:
            return True
        if name in ("_count", "_after", "_before", "_total"):
            return self._take_paging(name, text)
        if name in ("_summary", "_elements"):
            return self._take_subset(name, text)
        if name == "_sort":
            return self._take_sort(text)
        if name in ("_include", "_revinclude"):
            return self._take_include(name, text)
        if self.kind is ResourceKind.LOCATION and name.startswith(OF_STUDIES):
            inner = name.removeprefix(OF_STUDIES)
            taken = self._take_filter(ResourceKind.RESEARCH_STUDY, inner, text)
            self.of_studies = self.of_studies or taken
        else:
            taken = self._take_filter(self.kind, name, text)
        if taken and name != "near":
            self.kept.append((name, text))
        return taken

    def _take_paging(self, name: str, text: str) -> bool:
        if name == "_count":
            if not (text.isascii() and text.isdecimal() and len(text) < 10):
                raise InvalidInput("_count must be a whole number, 0 or more; 0 returns only the total.", field=name)
            self.count = min(int(text), MAX_COUNT)
        elif name == "_total":
            # Totals are always counted.
            return text in ("none", "estimate", "accurate")
        else:
            if name[1:] in self.marks:
                raise InvalidInput(f"{name} is given several times. Give it once.", field=name)
            self.marks[name[1:]] = text
        return True

    def _take_subset(self, name: str, text: str) -> bool:
        if name == "_summary" and text == "count":
            self.count = 0
            return True
        self.subset = self.subset.narrowed(name, text)
        self.kept.append((name, text))
        return True

    def _take_sort(self, text: str) -> bool:
        """Take an order; False if it has a field that cannot be sorted by."""
        names = [name.strip() for name in text.split(",")]
        if names == ["near"]:
            return self.kind is ResourceKind.LOCATION
        fields = [SORTS[self.kind].get(name.removeprefix("-")) for name in names]
        if self.order is not None or len(fields) > MAX_SORTS or None in fields:
            return False
        backwards = {name.startswith("-") for name in names}
        if len(backwards) > 1:
            raise InvalidInput("_sort takes fields that all go forwards, or all backwards: -name,-_id.", field="_sort")
        self.order = SortOrder(tuple(one for one in fields if one is not None), is_descending=backwards == {True})
        self.kept.append(("_sort", text))
        return True

    def _take_include(self, name: str, text: str) -> bool:
        known = INCLUDES if name == "_include" else REVERSE_INCLUDES
        kind = known[self.kind].get(text)
        if kind is None:
            return False
        self.included.add(kind)
        self.kept.append((name, text))
        return True

    def _take_filter(self, kind: ResourceKind, full_name: str, text: str) -> bool:
        name, colon, modifier = full_name.partition(":")
        found = next((parameter for parameter in PARAMETERS[kind] if parameter.name == name), None)
        if found is None:
            return False
        allowed = _FITS if name in _TEXTS else {"": None}
        if modifier not in allowed or (colon and not modifier):
            raise InvalidInput(f"{name} does not support the modifier {modifier[:_SHOWN]!r}.", field=name)
        if name in _TEXTS:
            tests = self.study_tests if kind is ResourceKind.RESEARCH_STUDY else self.site_tests
            tests.append(TextTest(_TEXTS[name], grammar.values(name, text), _FITS[modifier]))
        elif name == "near":
            self._take_near(text)
        elif name == "address-country":
            codes = frozenset(parse_country(value) for value in grammar.values(name, text))
            self.site = replace(self.site, countries=_both(self.site.countries, codes))
        elif kind is ResourceKind.RESEARCH_STUDY:
            self._take_of_study(name, text)
        else:
            self._take_of_site(name, text)
        return True

    def _take_near(self, text: str) -> None:
        if self.near is not None:
            raise InvalidInput("near is given several times. Give it once.", field="near")
        self.near, self.unit = grammar.near("near", text)
        point, km = self.near.point, FARTHEST_KM if self.near.km is None else self.near.km
        far = round(km / UNITS_KM[self.unit], 6)
        said = text if self.near.km is not None else f"{point.latitude!r}|{point.longitude!r}|{far!r}|{self.unit}"
        self.kept.append(("near", said))

    def _take_of_site(self, name: str, text: str) -> None:
        if name == "status":
            codes = grammar.tokens(name, text, lambda system: system == _LOCATION_STATUS_SYSTEM)
            statuses = _statuses(name, codes, words.LOCATION_STATUS)
            self.site = replace(self.site, statuses=_both(self.site.statuses, statuses))
        elif name == "active":
            codes = grammar.tokens(name, text, lambda _: True)
            if not codes <= {"true", "false"}:
                raise InvalidInput("active must be true or false.", field=name)
            if len(codes) == 1:
                wanted = codes == {"true"}
                contradicts = self.site.takes_patients is not None and self.site.takes_patients is not wanted
                nothing: frozenset[str] | None = frozenset() if contradicts else self.site.site_ids
                self.site = replace(self.site, takes_patients=wanted, site_ids=nothing)
        elif name == "identifier":
            ids = grammar.tokens(name, text, lambda system: system == words.SITE_SYSTEM)
            self.site = replace(self.site, site_ids=_both(self.site.site_ids, ids))
        else:
            self.site = replace(self.site, site_ids=_both(self.site.site_ids, self._ids(name, text)))

    def _take_of_study(self, name: str, text: str) -> None:
        if name == "status":
            codes = grammar.tokens(name, text, lambda system: system == _STUDY_STATUS_SYSTEM)
            statuses = _statuses(name, codes, words.STUDY_STATUS, known=words.STATUS_OF_STUDY)
            self.study = replace(self.study, statuses=_both(self.study.statuses, statuses))
        elif name == "identifier":
            systems = (words.NCT_SYSTEM, words.STUDY_SYSTEM, "")
            ids = grammar.tokens(name, text, lambda system: system in systems)
            self.study = replace(self.study, any_ids=(*self.study.any_ids, ids))
        elif name == "site":
            self.study = replace(self.study, site_ids=_both(self.study.site_ids, self._ids(name, text)))
        else:
            self.study = replace(self.study, study_ids=_both(self.study.study_ids, self._ids(name, text)))

    def _ids(self, name: str, text: str) -> frozenset[str]:
        """Return our ids for FHIR ids or references."""
        if name == "_id":
            given = grammar.values(name, text)
        else:
            given = grammar.reference_ids(name, text, "Organization" if name == "organization" else "Location")
        return frozenset(found for text in given if (found := self.find_id(text)) is not None)

    def _mark(self, name: str, text: str) -> PageMark:
        if self.order is not None:
            return self._sorted_mark(name, text)
        if self.near is None:
            return PageMark(text)
        km, _, found = text.partition("~")
        try:
            mark = PageMark(found, float(km))
        except ValueError:
            mark = PageMark("", math.nan)
        if not mark.id or not math.isfinite(mark.km or 0.0):
            raise _not_ours(name)
        return mark

    def _sorted_mark(self, name: str, text: str) -> PageMark:
        fields = () if self.order is None else self.order.fields
        try:
            unpacked = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            values = msgspec.json.decode(unpacked, type=tuple[str, ...])
        except (ValueError, binascii.Error, msgspec.DecodeError):
            values = ()
        if len(values) != len(fields) + 1 or any("\0" in value for value in values):
            raise _not_ours(name)
        return PageMark(values[-1], values=values[:-1])


def _not_ours(name: str) -> InvalidInput:
    return InvalidInput(f"{name} is set by our links. Do not set it yourself.", field=name)


def mark_text(mark: PageMark) -> str:
    """Return a position in an answer in the form of `_after` and `_before`."""
    if mark.values:
        packed = msgspec.json.encode([*mark.values, mark.id])
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return mark.id if mark.km is None else f"{mark.km!r}~{mark.id}"


def _both(old: frozenset[_T] | None, new: frozenset[_T]) -> frozenset[_T]:
    """Return the values that match both conditions."""
    return new if old is None else old & new


def _statuses(
    name: str,
    codes: frozenset[str],
    code_of: Mapping[RecruitmentStatus, str],
    known: Container[str] | None = None,
) -> frozenset[RecruitmentStatus]:
    known = frozenset(code_of.values()) if known is None else known
    for code in sorted(codes):
        if code not in known:
            raise InvalidInput(f"{name}: {code[:_SHOWN]!r} is not one of its codes.", field=name)
    return frozenset(status for status, code in code_of.items() if code in codes)
