"""Sites that could not be placed: why, the best guess, and setting their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from sitematch.config import Settings
from sitematch.domain.place import Place
from sitematch.domain.studies.fixed_place import with_fixed_place
from sitematch.domain.studies.import_outcome import ImportTotals
from sitematch.domain.studies.record import CatalogueRecord
from sitematch.domain.studies.site import Site
from sitematch.errors import AmbiguousPlace, InvalidInput, NotFound, SiteNotFound, Suggestion
from sitematch.gazetteer.locate import Gazetteer
from sitematch.services.studies.importing import Options, import_into
from sitematch.services.studies.placing import place_site

_PARTS = re.compile(r"[,;/()]|\s[-–]\s")
_WORD = re.compile(r"[^\W\d_][\w'’-]+")
_LARGE = 20_000
"""Inhabitants from which a town in a clinic's name is taken for the clinic's town."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A place where a site may be.

    Parameters
    ----------
    place
        The place.
    why
        What speaks for it, in plain words.
    """

    place: Place
    why: str

    def __str__(self) -> str:
        """Return the place's name and what speaks for it."""
        named = ", ".join(part for part in (self.place.name, self.place.postcode or "", self.place.country) if part)
        return f"{named} ({self.why})"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A site without a place.

    Parameters
    ----------
    site
        The site; its id is empty if it is not in the catalogue yet.
    reason
        Why it could not be placed.
    guess
        The best guess; None if there is none.
    """

    site: Site
    reason: str
    guess: Guess | None

    def __str__(self) -> str:
        """Return the site's name and address, the reason, and the guess."""
        site = self.site
        where = ", ".join(
            part for part in (site.facility, site.address, site.city, site.state, site.postcode, site.country) if part
        )
        guess = f"Best guess: {self.guess}." if self.guess else "No guess."
        return f"{where}: {self.reason} {guess}"


def explain_unplaced(gazetteer: Gazetteer, site: Site) -> Unplaced:
    """Say why a site could not be placed, and where it may be.

    Parameters
    ----------
    gazetteer
        The source of places.
    site
        A site without a place.
    """
    placed = place_site(gazetteer, city=site.city, state=site.state, postcode=site.postcode, country=site.country)
    reason = " ".join(dict.fromkeys(placed.flags)) or "the record has neither a town nor a postcode"
    return Unplaced(site, reason if reason.endswith((".", "!", "?", "…")) else f"{reason}.", _guess(gazetteer, site))


def _guess(gazetteer: Gazetteer, site: Site) -> Guess | None:
    return next(_guesses(gazetteer, site), None)


def _guesses(gazetteer: Gazetteer, site: Site) -> Iterator[Guess]:
    """Yield places, the likeliest first: a correction, a part of the town, the street address, the name."""
    town = ", ".join(part for part in (site.city, site.state) if part)
    for code, name in ((site.postcode, town), (site.postcode, ""), ("", town), ("", site.city)):
        if not (code or name):
            continue
        try:
            yield Guess(gazetteer.locate(code, site.country, town=name or None), "found without the rest of the record")
        except AmbiguousPlace as error:
            yield from _of_suggestions(gazetteer, error.candidates, site.country, "the largest of several of this name")
        except (InvalidInput, NotFound) as error:
            suggestions = getattr(error, "suggestions", ())
            yield from _of_suggestions(gazetteer, suggestions, site.country, "a similar name")
    for text in reversed(_PARTS.split(site.city)):
        yield from _town(gazetteer, text, site.country, "a part of the record's town")
    for text in reversed(_PARTS.split(site.address)):
        yield from _town(gazetteer, text, site.country, "in the street address")
    for text, why in ((site.city, "a part of the record's town"), (site.facility, "in the clinic's name")):
        for name in _names(text):
            yield from _town(gazetteer, name, site.country, why, at_least=_LARGE)


def _names(text: str) -> Iterator[str]:
    """Yield three, two and one words that stand together, the last first, without those in small letters."""
    words = _WORD.findall(text)
    for length in (3, 2, 1):
        for start in range(len(words) - length, -1, -1):
            if not words[start][0].islower():
                yield " ".join(words[start : start + length])


def _of_suggestions(gazetteer: Gazetteer, suggestions: Sequence[Suggestion], country: str, why: str) -> Iterator[Guess]:
    for suggestion in suggestions:
        if suggestion.country != country:
            continue
        try:
            yield Guess(gazetteer.locate(suggestion.text, country), why)
        except AmbiguousPlace:
            for town in gazetteer.search_towns(suggestion.text, country, limit=1):
                yield Guess(town.place(), why)
        except (InvalidInput, NotFound):
            continue


def _town(gazetteer: Gazetteer, text: str, country: str, why: str, at_least: int = 0) -> Iterator[Guess]:
    text = text.strip(" .-–")
    if len(text) < 3 or any(map(str.isdigit, text)):
        return
    try:
        found = gazetteer.search_towns(text, country, limit=1)
    except InvalidInput:
        return
    for town in found:
        # search_towns also finds names that only begin with the text.
        if town.name.casefold() == text.casefold() and (town.population or 0) >= at_least:
            yield Guess(town.place(), why)


def list_unplaced(settings: Settings, study_id: str | None) -> tuple[Unplaced, ...]:
    """Return the catalogue's sites without a place, in the order of studies and sites.

    Parameters
    ----------
    settings
        Where things are.
    study_id
        Only this study; None for all.

    Raises
    ------
    NotReady, StorageFault, LedgerBusy
        If the gazetteer or the database cannot be read.
    """
    from sitematch.store.engine import open_store
    from sitematch.store.studies.catalogue import iter_sites

    gazetteer = Gazetteer.open(settings.gazetteer_path)
    with open_store(settings.database_url) as store:
        sites = [site for site in iter_sites(store, None if study_id is None else (study_id,)) if site.place is None]
    return tuple(explain_unplaced(gazetteer, site) for site in sites)


def find_place(settings: Settings, site_id: str, text: str) -> tuple[Site, Place]:
    """Find a site, and the place that a person typed for it.

    Parameters
    ----------
    settings
        Where things are.
    site_id
        The site.
    text
        A postcode, a town, or both, in the site's country.

    Raises
    ------
    SiteNotFound
        If there is no such site.
    InvalidInput, NotFound, AmbiguousPlace
        See `Gazetteer.locate`.
    NotReady, StorageFault, LedgerBusy
        If the gazetteer or the database cannot be read.
    """
    from sitematch.store.engine import open_store
    from sitematch.store.studies.catalogue import iter_sites

    with open_store(settings.database_url) as store:
        site = next((one for one in iter_sites(store) if one.site_id == site_id), None)
    if site is None:
        raise SiteNotFound(f"There is no site {site_id!r} in the catalogue.", field="site")
    return site, Gazetteer.open(settings.gazetteer_path).locate(text, site.country)


def set_places(
    settings: Settings, places: Mapping[Site, Place], **options: Unpack[Options]
) -> tuple[ImportTotals, int | None]:
    """Set the places of sites, as an import that can be undone.

    Parameters
    ----------
    settings
        Where things are.
    places
        Each site and where it is.
    options
        See `sitematch.services.studies.importing.import_records`.

    Raises
    ------
    LedgerBusy, StorageFault, NotReady
        See there; nothing is changed then.
    """
    by_study: dict[str, list[Site]] = {}
    for site, place in places.items():
        by_study.setdefault(site.study_id, []).append(with_fixed_place(site, place))
    records = [
        CatalogueRecord(study_id=study_id, study=None, sites=tuple(sites), is_whole=False)
        for study_id, sites in by_study.items()
    ]
    return import_into(settings, records, origin="fix", source="places set by hand", **options)
