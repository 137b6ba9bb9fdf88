"""Look-up of a postcode: the code itself, or the finest known rung of its ladder."""

from __future__ import annotations

from collections.abc import Sequence

from sitematch.domain.message import Enumeration, Message, in_a_row, pattern
from sitematch.domain.place import Coordinates, Place, Postcode
from sitematch.errors import PostcodeNotFound, Suggestion
from sitematch.gazetteer.elsewhere import known_elsewhere
from sitematch.gazetteer.grammar import COUNTRIES, is_partial, key_of, normal_form, rungs
from sitematch.gazetteer.grammar.forms import FULL_CODES_UNKNOWN
from sitematch.gazetteer.reader import PostcodeRow, Reader
from sitematch.gazetteer.schema import DEGREE, PRECISIONS

_FEW = 3
"""Maximum number of countries in a note; others are only counted."""

CODE_OF_MANY = pattern("It is a postcode of %(count)s other countries. Check the country and the postcode.")
CODE_OF_OTHERS = pattern("It is a postcode of %(countries)s.")
"""Patterns of notes about other countries that have the code."""


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
    others = known_elsewhere(reader, key, without=country)
    if country in FULL_CODES_UNKNOWN:
        # No open source lists this country's codes, so it is chance if another country has such a code.
        asked = Message("Give the town.")
    elif others:
        asked = Message(CODE_OF_OTHERS, countries=listed(others))
    else:
        asked = Message("Check it, or give the town instead.")
    unknown = Message(
        "%(code)s looks like a postcode of %(country)s, but no such postcode is known there.",
        code=postcode.code,
        country=COUNTRIES[country].in_message(),
    )
    raise PostcodeNotFound(
        in_a_row(unknown, asked),
        field="postcode",
        suggestions=others,
    )


def _notes(reader: Reader, postcode: Postcode, key: str, found: str) -> tuple[str, ...]:
    """Return a note that another rung than the full code was used, and what that means."""
    country, code = postcode.country, postcode.code
    part = normal_form(country, found)
    if found == key:
        return (
            Message(
                "%(part)s is only a part of a postcode. The place is the middle of all postcodes that begin with it.",
                part=part,
            ),
        )
    if len(key) == 9 and len(found) == 5 and key.isdigit():
        return (Message("%(code)s is a ZIP+4 code. The place is that of its ZIP code %(part)s.", code=code, part=part),)
    if country in FULL_CODES_UNKNOWN or is_partial(country, found):
        return (
            Message("We know only %(part)s, a part of %(code)s. The place is that of this part.", part=part, code=code),
        )
    notes = [
        Message(
            "%(code)s is not a known postcode of %(country)s. The place is that of its part %(part)s.",
            code=code,
            country=COUNTRIES[country].in_message(),
            part=part,
        )
    ]
    others = known_elsewhere(reader, key, without=country)
    if len(others) > _FEW:
        notes.append(Message(CODE_OF_MANY, count=len(others)))
    elif others:
        notes.append(Message(CODE_OF_OTHERS, countries=listed(others)))
    return tuple(notes)


def listed(suggestions: Sequence[Suggestion]) -> Enumeration:
    """Return the countries of suggestions for a message, the first five by name.

    Parameters
    ----------
    suggestions
        At least one.
    """
    named = tuple(COUNTRIES[s.country].in_message(has_code=True) for s in suggestions[:5])
    return Enumeration(named, more=len(suggestions) - len(named))
