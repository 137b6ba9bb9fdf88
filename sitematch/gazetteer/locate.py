"""The straight walk from what a person typed to a place: text -> Postcode -> rung that answers -> Place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from sitematch.domain.place import Place, Postcode
from sitematch.errors import (
    AmbiguousPlace,
    InvalidInput,
    InvalidPostcode,
    NotFound,
    OnlineUnavailable,
    PostcodeNotFound,
    Suggestion,
    TownNotFound,
)
from sitematch.gazetteer import lookup, towns
from sitematch.gazetteer.crosscheck import agree, agrees
from sitematch.gazetteer.elsewhere import countries_with, known_elsewhere
from sitematch.gazetteer.grammar import COUNTRIES, find_country, key_of, parse_country, parse_postcode
from sitematch.gazetteer.lookup import listed
from sitematch.gazetteer.reader import Reader, Source
from sitematch.gazetteer.towns import Town

MAX_TEXT_LENGTH = 200
"""Characters of a postcode with a town; anything longer is refused unread."""

_DIGIT = re.compile(r"\d")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_WORD = re.compile(r"[^\s,]+")


class FurtherRung(Protocol):
    """Something that can place what the gazetteer cannot; see `online.OnlineRung`."""

    def locate(self, text: str, country: str | None = None, /) -> Place | None:
        """Find a place, or None."""
        ...


class Gazetteer:
    """Postcodes and town names to places, from one compiled file.

    Use `Gazetteer.open`. One instance serves all threads, and forked children too.
    """

    def __init__(self, reader: Reader, *, online: FurtherRung | None = None) -> None:
        self._reader = reader
        self._online = online

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, online: FurtherRung | None = None) -> Gazetteer:
        """Open a compiled gazetteer; nothing is parsed.

        Parameters
        ----------
        path
            The file that `sitematch gazetteer build` wrote.
        online
            Asked for what the file cannot place (`online.OnlineRung`). It sends what the patient typed to a third
            party, so there is none unless one is given.

        Raises
        ------
        NotReady
            If the file is missing, is no gazetteer, or has another schema version.
        """
        return cls(Reader(path), online=online)

    @property
    def reader(self) -> Reader:
        """The open file, for the batch."""
        return self._reader

    def sources(self) -> tuple[Source, ...]:
        """Give the sources of the data, for attribution."""
        return tuple(self._reader.sources.values())

    def search_towns(self, text: str, country: str | None = None, limit: int = 10) -> tuple[Town, ...]:
        """Find the towns that a text may mean; see `towns.search_towns`.

        Raises
        ------
        UnknownCountry
            If the country is not known.
        InvalidInput
            If the text is empty or too long, or the limit is not positive.
        """
        return towns.search_towns(self._reader, text, parse_country(country) if country else None, limit)

    def lookup(self, postcode: Postcode) -> Place:
        """Find the place of a postcode, or of the finest leading part of it that is known; see `lookup.lookup`.

        Raises
        ------
        PostcodeNotFound
            If neither the code nor any part of it is known; suggestions are countries that have such a code.
        """
        return lookup.lookup(self._reader, postcode)

    def locate(
        self, text: str, country: str | None = None, *, town: str | None = None, hints: Sequence[str] = ()
    ) -> Place:
        """Find the place that a person's words mean.

        Parameters
        ----------
        text
            A postcode, a town's name (``"Springfield, IL"``), or both (``"75013 Paris"``). May be empty if a town
            is given.
        country
            Name or ISO 3166-1 code. None: every country in which the text is a known postcode or town.
        town
            The town beside the postcode, perhaps with its state; each checks the other.
        hints
            Countries (names or codes) that decide if exactly one of them fits: the study's, the browser's.

        Returns
        -------
        Place
            With notes on whatever was chosen, replaced or contradicted.

        Raises
        ------
        InvalidPostcode
            If the text has digits and not the form of a postcode.
        PostcodeNotFound
            If the code has the form, but no part of it is known.
        TownNotFound
            If the text is no postcode, and no town is called so.
        AmbiguousPlace
            If several countries or towns fit; the candidates are listed.
        UnknownCountry
            If the country or a hint is not known.
        InvalidInput
            If nothing was given, or a text is overlong.
        """
        known = parse_country(country) if country is not None else None
        if self._online is not None:
            return self._with_online(text, known, town, hints)
        return self._offline(text, known, town, hints)

    def _with_online(self, text: str, country: str | None, town: str | None, hints: Sequence[str]) -> Place:
        """Ask the online service for what the file cannot place, and for nothing else."""
        try:
            return self._offline(text, country, town, hints)
        except (InvalidPostcode, NotFound) as fault:
            # A bare code is never sent: it is a typing slip, and the error already says what was perhaps meant.
            if self._online is None or _LETTERS.search(text) is None or len(text) > MAX_TEXT_LENGTH:
                raise
            try:
                place = self._online.locate(f"{text}, {town}" if town else text, country)
            except OnlineUnavailable as silent:
                fault.message = f"{fault.message} {silent.message}"
                fault.args = (fault.message,)
                raise fault from None
            if place is None:
                raise fault from None
            return place

    def _offline(self, text: str, known: str | None, town: str | None, hints: Sequence[str]) -> Place:
        if known is not None and not town:
            # The common walk, kept short: a postcode of a stated country.
            try:
                return lookup.lookup(self._reader, parse_postcode(text, known))
            except (InvalidPostcode, PostcodeNotFound) as fault:
                return self._otherwise(text, known, fault)
        hinted = tuple(parse_country(hint) for hint in hints)
        if len(text) > MAX_TEXT_LENGTH:
            raise InvalidPostcode(
                f"The postcode has {len(text)} characters; no country's has more than 40.", field="postcode"
            )
        if not text.strip():
            return self._without_postcode(known, town, hinted)
        if known is None:
            return self._anywhere(text, town, hinted)
        return self._both(text, known, town or "")

    def _otherwise(self, text: str, country: str, fault: InvalidPostcode | PostcodeNotFound) -> Place:
        """Read a text that is no known postcode of its country as a town, or as a postcode with its town."""
        if not text.strip() or len(text) > MAX_TEXT_LENGTH:
            raise fault
        if _DIGIT.search(text) is None:
            try:
                found, notes = towns.the_town(self._reader, text, country)
            except TownNotFound as unknown:
                raise TownNotFound(
                    f"{unknown.message} A postcode of {COUNTRIES[country].name} would hold digits.",
                    field="postcode",
                    suggestions=unknown.suggestions,
                ) from None
            return found.place(notes)
        if isinstance(fault, PostcodeNotFound):
            raise fault
        for code, rest in _splits(text):
            if _fits(code, country):
                return self._both(code, country, rest)
        others = known_elsewhere(self._reader, text, without=country)
        if not others or fault.suggestions:
            raise fault
        raise InvalidPostcode(
            f"{fault.message} It is a code of {listed(others)}.", field="postcode", suggestions=others
        ) from None

    def _without_postcode(self, country: str | None, town: str | None, hints: tuple[str, ...]) -> Place:
        if town is None or not town.strip():
            raise InvalidInput("Nothing was given; give a postcode or a town.", field="postcode")
        found, notes = towns.the_town(self._reader, town, country, hints=hints)
        return found.place(notes)

    def _both(self, text: str, country: str, town: str) -> Place:
        """Look the postcode up, and hold it against the town."""
        try:
            place = lookup.lookup(self._reader, parse_postcode(text, country))
        except (InvalidPostcode, PostcodeNotFound) as fault:
            try:
                found, notes = towns.the_town(self._reader, town, country)
            except (TownNotFound, AmbiguousPlace, InvalidInput):
                raise fault from None
            return found.place((f"{fault.message} The place is the town's.", *notes))
        return agree(place, self._reader, town) if town.strip() else place

    def _anywhere(self, text: str, town: str | None, hints: tuple[str, ...]) -> Place:
        """Find a text for which no country was given."""
        found = countries_with(self._reader, text)
        if _DIGIT.search(text) is None and not found:
            wanted = f"{text}, {town}" if town else text
            place, notes = towns.the_town(self._reader, wanted, None, hints=hints)
            return place.place(notes)
        if not found and not town:
            for code, rest in _splits(text):
                if (country := find_country(rest)) is not None and _fits(code, country):
                    return self.locate(code, country)
                if countries_with(self._reader, code):
                    return self._anywhere(code, rest, hints)
        if not found:
            raise self._nowhere(text, hints)
        country, note = self._choose_country(text.strip(), found, town or "", hints)
        place_there = self._both(text, country, town or "")
        return replace(place_there, notes=(note, *place_there.notes))

    def _choose_country(
        self, text: str, found: tuple[Suggestion, ...], town: str, hints: tuple[str, ...]
    ) -> tuple[str, str]:
        """Choose the country of a code: the only one that has it, that has the town there, or that is hinted."""
        if len(found) == 1:
            country = found[0].country
            return (
                country,
                f"No country was given; {text} is known only in {COUNTRIES[country].name} ({country}).",
            )
        if town.strip():
            there = [s for s in found if agrees(self._look(s), self._reader, town)]
            if len(there) == 1:
                country = there[0].country
                return (
                    country,
                    f"No country was given; {text} and {town} fit only {COUNTRIES[country].name} ({country}).",
                )
        hinted = tuple(s for s in found if s.country in hints)
        if len(hinted) == 1:
            country = hinted[0].country
            return country, (
                f"No country was given; {COUNTRIES[country].name} ({country}) was taken because it was hinted. "
                f"The code {text} is known in {len(found)} countries."
            )
        candidates = hinted or (*_mended(text, hints), *found)
        raise AmbiguousPlace(
            f"{text} is a postcode in {len(candidates)} countries: {listed(candidates)}. Give the country.",
            candidates=candidates,
            field="country",
        )

    def _look(self, suggestion: Suggestion) -> Place:
        return lookup.lookup(self._reader, parse_postcode(suggestion.text, suggestion.country))

    def _nowhere(self, text: str, hints: tuple[str, ...]) -> PostcodeNotFound:
        suggestions = _mended(text, hints)
        asked = f" Did you mean {suggestions[0].text} ({suggestions[0].country})?" if suggestions else ""
        return PostcodeNotFound(
            f"{text.strip()[:40]!r} is no known postcode of any country.{asked} "
            "Check it, or give the country or the town.",
            field="postcode",
            suggestions=suggestions,
        )


def _mended(text: str, countries: Sequence[str]) -> tuple[Suggestion, ...]:
    """Offer what was perhaps meant in one of the countries: a leading zero put back."""
    suggestions: list[Suggestion] = []
    for country in countries:
        try:
            parse_postcode(text, country)
        except InvalidPostcode as fault:
            suggestions += fault.suggestions
    return tuple(suggestions)


def _fits(code: str, country: str) -> bool:
    try:
        parse_postcode(code, country)
    except InvalidPostcode:
        return False
    return bool(key_of(country, code))


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """Cut a text into a code and a town, code first or last: "75013 Paris", "London SW1A 1AA"."""
    words = list(_WORD.finditer(text))
    # Longest code first, or "London SW1A 1AA" would be cut before "1AA".
    for count in (3, 2, 1):
        if len(words) <= count:
            continue
        first, last = words[count - 1].end(), words[-count].start()
        for code, rest in ((text[:first], text[first:]), (text[last:], text[:last])):
            if _DIGIT.search(code) and not _DIGIT.search(rest):
                # "QC H4J 1C5": a state's abbreviation is no town.
                yield code.strip(" ,"), "" if len(rest.strip(" ,")) <= 3 else rest.strip(" ,")
