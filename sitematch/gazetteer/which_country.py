"""The country of a text: the context of the look-up, and the choice if no country was stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sitematch.domain.message import Message
from sitematch.domain.place import Place
from sitematch.errors import AmbiguousPlace, InvalidPostcode, PostcodeNotFound, Suggestion
from sitematch.gazetteer import lookup
from sitematch.gazetteer.crosscheck import agrees
from sitematch.gazetteer.elsewhere import countries_with
from sitematch.gazetteer.grammar import COUNTRIES, fold_name, parse_postcode
from sitematch.gazetteer.grammar.regions import TERRITORIES, find_regions
from sitematch.gazetteer.lookup import listed
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.special import look_alikes
from sitematch.gazetteer.typed import TypedPlace


@dataclass(frozen=True, slots=True)
class Context:
    """The context of a look-up.

    Parameters
    ----------
    reader
        The gazetteer.
    country
        ISO 3166-1 alpha-2 code, if one was stated separately.
    likely
        Countries that the person's languages suggest, best first.
    hints
        Countries that break a tie.
    is_forgiving
        Whether to search for similar names: about a hundred queries, so only after everything else has failed.
    """

    reader: Reader
    country: str | None
    likely: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    is_forgiving: bool = False


def admin_of(place: Place) -> str:
    """Return the state of a place; empty if its name has none. A city with the name of its state has the name once."""
    if ", " in place.name:
        return place.name.rpartition(", ")[2]
    regions = find_regions(place.name, place.country)
    return place.name if any(fold_name(place.name) in region.listed for region in regions) else ""


def country_of(context: Context, reading: TypedPlace) -> tuple[str, tuple[str, ...]]:
    """Choose the country of a code: the stated, the only possible or the person's one; otherwise raise an error."""
    code = reading.postcode
    found = countries_with(context.reader, code)
    stated = _stated_countries(reading)
    if stated:
        inside = [s for s in found if s.country in stated]
        if not inside:
            for country in stated:
                try:
                    parse_postcode(code, country)
                except InvalidPostcode:
                    continue
                return country, ()
            raise PostcodeNotFound(
                f"{code} is no known postcode of {COUNTRIES[stated[0]].name}. Check it, or give the town.",
                field="postcode",
                suggestions=found[:5],
            )
        if len({s.country for s in inside}) == 1 or not any(r.name for group in reading.regions for r in group):
            # A country's own name before a territory's, and before a region with the same letters.
            return min(inside, key=lambda s: stated.index(s.country)).country, ()
        fits = [s for s in inside if _lies_in(context.reader, s, reading)] or inside
        return min(fits, key=lambda s: stated.index(s.country)).country, ()
    if not found:
        raise nowhere(context, code)
    if len(found) == 1:
        country = found[0].country
        told = Message(
            "No country was given. %(code)s is known only in %(country)s.",
            code=code,
            country=COUNTRIES[country].in_message(has_code=True),
        )
        return country, (told,)
    if fold_name(reading.town):
        there = [s for s in found if agrees(_look(context.reader, s), context.reader, reading.town)]
        if len(there) == 1:
            country = there[0].country
            told = Message(
                "No country was given. %(code)s and %(town)s are together only in %(country)s.",
                code=code,
                town=reading.town,
                country=COUNTRIES[country].in_message(has_code=True),
            )
            return country, (told,)
        found = tuple(there) or found
    countries = [s.country for s in found]
    for country in context.likely:
        if country in countries:
            told = Message(
                "No country was given. We chose %(country)s because of your language. "
                "It is also a postcode of %(countries)s.",
                country=COUNTRIES[country].in_message(has_code=True),
                countries=listed([s for s in found if s.country != country]),
            )
            return country, (told,)
    people = {s.country: _people(context.reader, _look(context.reader, s)) for s in found}
    ordered = sorted(found, key=lambda s: -people[s.country])
    hinted = [s for s in ordered if s.country in context.hints]
    if len(hinted) == 1 and people[hinted[0].country] == people[ordered[0].country]:
        country = hinted[0].country
        told = Message(
            "No country was given. We chose %(country)s because the study has clinics there. "
            "%(code)s is a postcode of %(count)s countries.",
            country=COUNTRIES[country].in_message(has_code=True),
            code=code,
            count=len(found),
        )
        return country, (told,)
    candidates = (*ordered, *_mended(code, context.hints))
    raise AmbiguousPlace(
        f"{code} is a postcode in {len(ordered)} countries: {listed(ordered)}. Give the country.",
        candidates=candidates,
        field="country",
    )


def _stated_countries(reading: TypedPlace) -> list[str]:
    """List the countries that every stated part allows, names before letters."""
    allowed: list[str] | None = None
    for group in reading.regions:
        ranked = sorted(group, key=lambda region: region.by_code and bool(region.name))
        countries = list(
            dict.fromkeys(
                country
                for region in ranked
                for country in (region.country, *(() if region.name else TERRITORIES.get(region.country, ())))
            )
        )
        allowed = countries if allowed is None else [country for country in allowed if country in countries]
    return allowed or []


def _lies_in(reader: Reader, suggestion: Suggestion, reading: TypedPlace) -> bool:
    place = _look(reader, suggestion)
    return reading.allows(place.country, admin_of(place))


def _look(reader: Reader, suggestion: Suggestion) -> Place:
    return lookup.lookup(reader, parse_postcode(suggestion.text, suggestion.country))


def _people(reader: Reader, place: Place) -> int:
    """Return the population of the largest city around a code's place, as a measure of how likely the code is meant."""
    return reader.people_around(place.coordinates.latitude, place.coordinates.longitude)


def nowhere(context: Context, code: str) -> PostcodeNotFound:
    """Return the error that no country has the code, with suggestions for a likely country."""
    countries = dict.fromkeys((*context.likely, *context.hints))
    suggestions = _mended(code, tuple(countries))
    suggestions += tuple(found for country in context.likely for found in look_alikes(code, country))
    asked = f" Did you mean {suggestions[0].text} ({suggestions[0].country})?" if suggestions else ""
    return PostcodeNotFound(
        f"{code.strip()[:40]!r} is no known postcode of any country.{asked} Check it, or give the country or the town.",
        field="postcode",
        suggestions=suggestions,
    )


def _mended(text: str, countries: Sequence[str]) -> tuple[Suggestion, ...]:
    """Suggest corrections in one of the countries: a restored leading zero."""
    suggestions: list[Suggestion] = []
    for country in countries:
        try:
            parse_postcode(text, country)
        except InvalidPostcode as fault:
            suggestions += fault.suggestions
    return tuple(suggestions)
