"""Look-up of a postcode: the code itself, or the finest known rung of its ladder."""

from __future__ import annotations

from collections.abc import Sequence

from sitematch.domain.place import Coordinates, Place, Postcode
from sitematch.errors import PostcodeNotFound, Suggestion
from sitematch.gazetteer.elsewhere import known_elsewhere
from sitematch.gazetteer.grammar import COUNTRIES, is_partial, key_of, normal_form, rungs
from sitematch.gazetteer.grammar.forms import FULL_CODES_UNKNOWN
from sitematch.gazetteer.reader import PostcodeRow, Reader
from sitematch.gazetteer.schema import DEGREE, PRECISIONS

_FEW = 3
"""Maximum number of countries in a note; others are only counted."""

ELSEWHERE = "It is a code of"
"""Beginning of a note about other countries with the code."""


def lookup(reader: Reader, postcode: Postcode) -> Place:
    """Find the place of a postcode, or of its finest known leading part.

    Parameters
    ----------
    reader
        The gazetteer.
    postcode
        From `parse_postcode`.

    Returns
    -------
    Place
        `precision` and `postcode` say which rung was used; `notes` say so in words if it is not the full code.

    Raises
    ------
    PostcodeNotFound
        If neither the code nor any part of it is known; suggestions are countries with such a code.
    """
    country = postcode.country
    code = postcode.code
    key = code if code.isdigit() else key_of(country, code)
    row = reader.postcode(country, key)
    if row is not None and row[6] == 0 and not is_partial(country, key):
        return _place(reader, country, code, row)
    return _climb(reader, postcode, key)


def place_of(reader: Reader, country: str, key: str, row: PostcodeRow) -> Place:
    """Return the place of a row found under a key, without notes."""
    return _place(reader, country, normal_form(country, key), row)


def _place(reader: Reader, country: str, code: str, row: PostcodeRow, notes: tuple[str, ...] = ()) -> Place:
    return Place(
        coordinates=Coordinates(latitude=row[0] / DEGREE, longitude=row[1] / DEGREE),
        precision=PRECISIONS[row[2]],
        uncertainty_km=row[3] / 1000,
        source=reader.sources[row[5]].name,
        country=country,
        name=row[4],
        postcode=code,
        notes=notes,
    )


def _climb(reader: Reader, postcode: Postcode, key: str) -> Place:
    country = postcode.country
    for rung in rungs(country, key):
        row = reader.postcode(country, rung.key)
        if row is not None:
            part = normal_form(country, rung.key)
            return _place(reader, country, part, row, _notes(reader, postcode, key, rung.key))
    name = COUNTRIES[country].in_text
    others = known_elsewhere(reader, key, without=country)
    if country in FULL_CODES_UNKNOWN:
        # No open source lists this country's codes, so it is chance if another country has such a code.
        asked = " Give the town."
    else:
        asked = f" It is a code of {listed(others)}." if others else " Check it, or give the town instead."
    raise PostcodeNotFound(
        f"{postcode.code} has the form of a postcode of {name}, but neither it nor any part of it is known.{asked}",
        field="postcode",
        suggestions=others,
    )


def _notes(reader: Reader, postcode: Postcode, key: str, found: str) -> tuple[str, ...]:
    """Return a note that another rung than the full code was used, and what that means."""
    country, code = postcode.country, postcode.code
    part = normal_form(country, found)
    if found == key:
        return (f"{part} is a part of a postcode; the point stands for all codes that begin so.",)
    if len(key) == 9 and len(found) == 5 and key.isdigit():
        return (f"The ZIP+4 code {code} was answered as its ZIP code {part}.",)
    if country in FULL_CODES_UNKNOWN or is_partial(country, found):
        return (f"The point stands for {part}, the finest part of {code} that is known.",)
    notes = [f"{code} is no known code of {COUNTRIES[country].in_text}; it was placed by its part {part}."]
    others = known_elsewhere(reader, key, without=country)
    if len(others) > _FEW:
        notes.append(f"{ELSEWHERE} {len(others)} other countries: check the country, or the code.")
    elif others:
        notes.append(f"{ELSEWHERE} {listed(others)}.")
    return tuple(notes)


def listed(suggestions: Sequence[Suggestion]) -> str:
    """Return the countries of suggestions in words, the first five by name.

    Parameters
    ----------
    suggestions
        At least one.
    """
    names = [f"{COUNTRIES[s.country].in_text} ({s.country})" for s in suggestions[:5]]
    more = len(suggestions) - len(names)
    if more:
        names.append(f"{more} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
