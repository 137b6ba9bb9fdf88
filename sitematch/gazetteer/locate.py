"""From a typed text to a place: text -> Postcode -> known rung -> Place."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Protocol

from sitematch.domain.place import Place, Postcode
from sitematch.errors import ForcesPostcode, InvalidPostcode, NotFound, OnlineUnavailable, PostcodeNotFound
from sitematch.gazetteer import lookup, towns
from sitematch.gazetteer.grammar import parse_country, parse_postcode
from sitematch.gazetteer.guarded_reader import GuardedReader
from sitematch.gazetteer.likely import likely_countries
from sitematch.gazetteer.reader import Reader, Source
from sitematch.gazetteer.special import FORCES, forces_of
from sitematch.gazetteer.towns import Town
from sitematch.gazetteer.understand import MAX_TEXT_LENGTH, understand
from sitematch.gazetteer.which_country import Context

_LETTERS = re.compile(r"[^\W\d_]{2}")


class FallbackGeocoder(Protocol):
    """A service for texts that the gazetteer cannot locate; see `online.OnlineGeocoder`."""

    def locate(self, text: str, country: str | None = None, /) -> Place | None:
        """Find a place, or None."""
        ...


class Gazetteer:
    """Postcodes and town names to places, from one compiled file.

    Use `Gazetteer.open`. One instance can be used by all threads, and by forked children.
    """

    def __init__(self, reader: Reader, *, online: FallbackGeocoder | None = None) -> None:
        self._reader = reader
        self._online = online

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, online: FallbackGeocoder | None = None, readers: int | None = None
    ) -> Gazetteer:
        """Open a compiled gazetteer; nothing is parsed.

        Parameters
        ----------
        path
            A file from `sitematch gazetteer build`.
        online
            Asked for what the file cannot place (`online.OnlineGeocoder`). It sends what the patient typed to a third
            party, so there is none unless one is given.
        readers
            For a program that runs for long: how many threads will read at once. The file may then be replaced, cut or
            written into without harm; see `guarded_reader.GuardedReader`. None reads faster.

        Raises
        ------
        NotReady
            If the file is missing, is not a gazetteer, or has another schema version.
        """
        reader = Reader(path) if readers is None else GuardedReader(path, handles=readers)
        return cls(reader, online=online)

    @property
    def reader(self) -> Reader:
        """Return the open file, for the batch."""
        return self._reader

    def sources(self) -> tuple[Source, ...]:
        """Return the sources of the data, for attribution."""
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
        """Find the place of a postcode, or of its finest known leading part; see `lookup.lookup`.

        Raises
        ------
        PostcodeNotFound
            If neither the code nor any part of it is known; suggestions are countries that have such a code.
        """
        return lookup.lookup(self._reader, postcode)

    def locate(
        self,
        text: str,
        country: str | None = None,
        *,
        town: str | None = None,
        hints: Sequence[str] = (),
        languages: Sequence[str] = (),
    ) -> Place:
        """Find the place that a person's text means.

        Parameters
        ----------
        text
            What a person typed: a postcode, a town (``"Springfield, IL"``, ``"Boston MA"``), both (``"75013 Paris"``),
            or an address as map services write it. May be empty if a town is given.
        country
            Name or ISO 3166-1 code. None: every country in which the text is a known postcode or town.
        town
            The town of the postcode, optionally with its state; the two are checked against each other.
        hints
            Countries (names or codes) that break a tie among those that match: the study's.
        languages
            The person's languages, best first (``"de-CH"``, ``"en"``): without a stated country, the countries that
            they suggest come before all others.

        Returns
        -------
        Place
            With notes on what was chosen, replaced or contradicted. It is in every region and country that the text
            states.

        Raises
        ------
        InvalidPostcode
            If the text has digits but not the form of a postcode; suggestions are possible corrections.
        PostcodeNotFound
            If the code has a valid form, but no part of it is known, or it is outside the stated region.
        ForcesPostcode
            If the code belongs to the post of armed forces.
        TownNotFound
            If the text is not a postcode, and there is no such town in the stated region and country.
        AmbiguousPlace
            If several countries or towns match; the candidates are listed, most likely first.
        OnlyRegionGiven
            If the text is only a region or a country.
        OwnLocationWanted
            If the text asks for the person's own location.
        UnknownCountry
            If the country or a hint is not known.
        InvalidInput
            If nothing was given, or a text is too long.
        """
        known = parse_country(country) if country is not None else None
        if known is not None and not town and not (known in FORCES and forces_of(text, known)):
            # The most common case, kept fast: a postcode of a stated country.
            try:
                return lookup.lookup(self._reader, parse_postcode(text, known))
            except (InvalidPostcode, PostcodeNotFound) as fault:
                return self._read(text, known, "", hints, languages, fault)
        return self._read(text, known, town or "", hints, languages, None)

    def _read(
        self,
        text: str,
        country: str | None,
        town: str,
        hints: Sequence[str],
        languages: Sequence[str],
        fault: InvalidPostcode | PostcodeNotFound | None,
    ) -> Place:
        """Interpret a text, and query the online service only for texts that the file cannot locate."""
        context = Context(
            self._reader,
            country,
            likely=likely_countries(languages),
            hints=tuple(parse_country(hint) for hint in hints),
        )
        if self._online is None:
            return understand(context, text, town, fault)
        try:
            return understand(context, text, town, fault)
        except (InvalidPostcode, NotFound) as unknown:
            # A code alone is never sent: it is a typing error, and the error already has suggestions.
            if _LETTERS.search(text) is None or len(text) > MAX_TEXT_LENGTH or isinstance(unknown, ForcesPostcode):
                raise
            try:
                place = self._online.locate(f"{text}, {town}" if town else text, country)
            except OnlineUnavailable as silent:
                unknown.message = f"{unknown.message} {silent.message}"
                unknown.args = (unknown.message,)
                raise unknown from None
            if place is None:
                raise unknown from None
            return place
