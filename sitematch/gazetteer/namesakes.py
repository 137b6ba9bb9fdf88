"""Choice among towns of one name, or an error with the candidates: never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

from sitematch.domain.message import CountryName, Message
from sitematch.errors import AmbiguousPlace, Suggestion, TownNotFound
from sitematch.gazetteer.grammar import COUNTRIES, fold_name
from sitematch.gazetteer.grammar.regions import Region, find_regions
from sitematch.gazetteer.nearness import rough_km
from sitematch.gazetteer.reader import Reader
from sitematch.gazetteer.towns import Town, find_towns, town_of

DOMINANCE = 20
"""Within one country, the largest town of a name is used, with a note, if it has this many times the population of the
next one; otherwise the person is asked."""

SAME_TOWN_KM = 5.0
"""Two entries with the same name closer than this are one town and its centre, not two towns."""

Held = Sequence[Sequence[Region]]
Within = tuple[str | CountryName, ...]


def resolve_town(
    reader: Reader,
    text: str,
    country: str | None = None,
    *,
    held: Held = (),
    likely: Sequence[str] = (),
    hints: Sequence[str] = (),
    is_forgiving: bool = True,
) -> tuple[Town, tuple[str, ...]]:
    """Find the one town that a text means.

    Parameters
    ----------
    reader, text, country
        See `search_towns`.
    held
        Regions that must contain the town: one of each group.
    likely
        Countries in which the person probably is, most likely first. The first one with such a town is used, unless the
        largest town of that name elsewhere has more than `DOMINANCE` times its population.
    hints
        Countries that break a tie: used if exactly one of them has such a town, and there is no larger one elsewhere.
    is_forgiving
        Whether to search for names with one typing error: about a hundred queries. Such a town is used, with a note, if
        its name is long enough and no other name is similar.

    Returns
    -------
    tuple
        The town, and notes on how it was chosen.

    Raises
    ------
    AmbiguousPlace
        If several towns match; the candidates are the ten largest, with the largest of every country first.
    TownNotFound
        If none matches; suggestions are towns of that name elsewhere, or names with the same beginning or one typing
        error.
    InvalidInput
        See `search_towns`.
    """
    found = find_towns(reader, text, country, held)
    if not found.whole:
        if not is_forgiving:
            raise TownNotFound(f"No town called {text!r} is known.", field="town")
        return _nearly(reader, text, country, held, found.towns)
    towns = _without_doubles(found.towns)
    if len(towns) == 1:
        return towns[0], ()
    countries = list(dict.fromkeys(town.country for town in towns))
    if len(countries) == 1:
        return _largest(towns, text)
    if country is not None and country in countries:
        # Others are territories of it.
        return _largest(towns, text)
    # Victoria is also a name of Hong Kong, but people do not mean it.
    own = [town for town in towns if fold_name(town.name) == fold_name(text.split(",")[0])] or towns
    for choice in likely:
        if choice in countries:
            there = [town for town in towns if town.country == choice]
            if _people(there[0]) * DOMINANCE < _people(own[0]):
                break
            town, notes = _largest(there, text)
            told = Message(
                "This is %(town)s in %(country)s. We chose this country because of your language.",
                town=town.name,
                country=COUNTRIES[choice].in_message(),
            )
            return town, (told, *notes)
    hinted = set(countries) & set(hints)
    if len(hinted) == 1 and towns[0].country in hinted:
        town, notes = _largest([t for t in towns if t.country in hinted], text)
        told = Message(
            "This is %(town)s in %(country)s, the only country of the study with a town of this name.",
            town=town.name,
            country=COUNTRIES[town.country].in_message(),
        )
        return town, (told, *notes)
    raise _ambiguous(towns, text)


def _people(town: Town) -> int:
    return max(town.population or 0, 500)


def _nearly(
    reader: Reader, text: str, country: str | None, held: Held, begun: Sequence[Town]
) -> tuple[Town, tuple[str, ...]]:
    """Return the only town with a similar name, or raise an error with similar names as suggestions."""
    name, *tail = text.split(",")
    groups = [*held, *(regions for part in tail if (regions := find_regions(part, country) or find_regions(part)))]
    where = _within(groups, country, ())
    if groups:
        same = find_towns(reader, name, country)
        same = same if same.whole or country is None else find_towns(reader, name, None)
        elsewhere = _suggested(same.towns[:5], Message("a town of that name elsewhere")) if same.whole else ()
        misspelt = _misspelt(reader, name, country, groups)
        if not same.whole and _is_meant(misspelt, name, country or _country_of(groups)):
            return misspelt[0], (_corrected(name, where, misspelt[0]),)
        near = (*_suggested(misspelt, _SIMILAR), *elsewhere)
    else:
        misspelt = _misspelt(reader, name, country, ())
        if not begun and _is_meant(misspelt, name, country):
            return misspelt[0], (_corrected(name, where, misspelt[0]),)
        near = _suggested(begun[:5], Message("a name that begins the same way")) or _suggested(misspelt, _SIMILAR)
    asked = (
        f" Did you mean {_named(near[0], country)}?" if near else " Check the spelling, or give a larger town nearby."
    )
    shown = name.strip() if groups else text
    where = _within(groups, country, [suggestion.country for suggestion in near])
    inside = f" in {_told(where)}" if where else ""
    raise TownNotFound(f"No town called {shown!r} is known{inside}.{asked}", field="town", suggestions=near)


_SIMILAR = Message("a similar name")


def _corrected(name: str, where: Within, town: Town) -> Message:
    if not where:
        return Message("No town called %(name)s is known. We used %(town)s.", name=name.strip(), town=town.label)
    return Message(
        "No town called %(name)s is known in %(where)s. We used %(town)s.",
        name=name.strip(),
        where=where,
        town=town.label,
    )


def _told(where: Within) -> str:
    return ", ".join(map(str, where))


_LONG = 6
"""Minimum number of letters of a misspelt name that can match a town."""

_KNOWN = 15_000
"""Minimum population of a town that a misspelt name can match."""


def _is_meant(towns: Sequence[Town], name: str, country: str | None) -> bool:
    """Return whether a name with one typing error means the first town, with no other nearly as likely."""
    if not towns or country is None or len(fold_name(name)) < _LONG or (towns[0].population or 0) < _KNOWN:
        return False
    return len(towns) == 1 or _people(towns[0]) >= DOMINANCE * _people(towns[1])


def _country_of(groups: Held) -> str | None:
    """Return the only country that all groups allow; None if there are several."""
    countries = {region.country for group in groups for region in group}
    return countries.pop() if len(countries) == 1 else None


def _within(groups: Held, country: str | None, likely: Sequence[str]) -> Within:
    """Return the stated region with its country, or the country; empty if none was stated."""
    if groups:
        group = next((g for g in groups if any(r.name for r in g)), groups[0])
        inside_it = [r for r in group if country in (None, r.country)] or list(group)
        best = next((r for choice in likely for r in inside_it if r.country == choice), inside_it[0])
        country_name = CountryName(best.country, COUNTRIES[best.country].name)
        return (best.label, country_name) if best.name else (best.label,)
    return (COUNTRIES[country].in_message(),) if country else ()


def _named(suggestion: Suggestion, country: str | None) -> str:
    return suggestion.text if suggestion.country == country else f"{suggestion.text} ({suggestion.country})"


def _suggested(towns: Sequence[Town], why: Message) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(town.label, town.country, why) for town in towns)


def _misspelt(reader: Reader, name: str, country: str | None, groups: Held) -> list[Town]:
    """List the five largest towns whose names differ by one letter: left out, doubled, changed or swapped."""
    key = fold_name(name)
    if not 4 <= len(key) <= 30 or not key.isascii():
        return []
    rows = {
        row[0]: row
        for slip in _slips(key)
        for row in reader.towns(slip, country or "", 5 if not groups else 50)
        if all(any(region.holds(row[1], row[3]) for region in group) for group in groups)
    }
    largest = sorted(rows.values(), key=lambda row: (-(row[7] or 0), row[0]))[:5]
    return [town_of(reader, row) for row in largest]


def _slips(key: str) -> set[str]:
    cuts = [(key[:i], key[i:]) for i in range(len(key) + 1)]
    left_out = {head + tail[1:] for head, tail in cuts if tail}
    swapped = {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    changed = {head + letter + tail[1:] for head, tail in cuts if tail for letter in ascii_lowercase}
    put_in = {head + letter + tail for head, tail in cuts for letter in ascii_lowercase}
    # The wrong letter doubled: "Cincinatti".
    single = {head + tail[1:] for head, tail in cuts if head[-1:] == tail[:1] != ""}
    moved = {word[:i] + word[i - 1] + word[i:] for word in single for i in range(1, len(word) + 1)}
    return (moved | left_out | swapped | changed | put_in) - {key}


def _largest(towns: Sequence[Town], text: str) -> tuple[Town, tuple[str, ...]]:
    first = towns[0]
    if len(towns) == 1:
        return first, ()
    if first.population and first.population >= DOMINANCE * _people(towns[1]):
        told = Message(
            "%(town)s is by far the largest of %(count)s towns called %(name)s.",
            town=first.label,
            count=len(towns),
            name=text,
        )
        return first, (told,)
    raise _ambiguous(towns, text)


def _ambiguous(towns: Sequence[Town], text: str) -> AmbiguousPlace:
    # Every country's largest first, so that none is missing from the ten; then by population.
    first = {town.country: town for town in reversed(towns)}
    chosen = sorted(towns, key=lambda town: first[town.country] is not town)[:10]
    offered: dict[tuple[str, str], Suggestion] = {}
    for town in sorted(chosen, key=lambda town: -_people(town)):
        choice = Suggestion(town.label, town.country, about_town(town))
        offered.setdefault((choice.text, choice.country), choice)
    candidates = tuple(offered.values())
    named = "; ".join(f"{c.text} ({c.country})" for c in candidates[:4])
    return AmbiguousPlace(
        f"{len(towns)} places are called {text!r}: {named}{' …' if len(candidates) > 4 else ''}. "
        "Add the country or the state, or give the postcode.",
        candidates=candidates,
        field="town",
    )


def about_town(town: Town) -> Message:
    """Return what tells a town from others of its name: its country and how many people live there."""
    country = CountryName(town.country, COUNTRIES[town.country].name)
    if not town.population:
        return Message("%(country)s, population unknown", country=country)
    return Message("%(country)s, %(count)s inhabitants", country=country, count=town.population)


def _without_doubles(towns: Sequence[Town]) -> list[Town]:
    kept: list[Town] = []
    for town in towns:
        if not any(
            other.country == town.country and rough_km(other.coordinates, town.coordinates) < SAME_TOWN_KM
            for other in kept
        ):
            kept.append(town)
    return kept
