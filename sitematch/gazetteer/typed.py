"""Split what a person typed into postcode, town, region and country, before anything is looked up.

A text can often be read in several ways: "Boston MA" is a town in Massachusetts, in Morocco, or called "Boston MA".
`read_typed` returns every plausible way, best first. The look-up treats each stated part as a constraint, so a wrong
way finds nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sitematch.gazetteer.everyday import ROMAN, district, ward_of_tokyo
from sitematch.gazetteer.grammar import countries_that_fit, fits, fold_name, has_digit, key_of
from sitematch.gazetteer.grammar.regions import Region, find_regions

MAX_READINGS = 40
"""Maximum number of ways to read one text; a postal address needs about ten."""

_SEPARATORS = re.compile(r"[,;\n\r\t、，；|]+")
_SPACE = re.compile(r"\s+")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u00ad]")
_WORDS_OF_A_REGION = 4
_WORDS_OF_A_CODE = 3

# Post office boxes: their number is not a postcode. Kenya writes the code right behind it: "P.O. Box 30197-00100".
_BOX = re.compile(
    r"\b(?:p\.? ?o\.? ?b(?:ox|\.)|post office box|gpo box|po bag|private bag|locked bag|post(?:al)? box|box|postfach|"
    r"postbus|bo[iî]te postale|b\.? ?p\.?|apartado(?: postal)?|apdo\.?|aptdo\.?|caixa postal|c\.? ?p\.?|"
    r"casella postale|skr(?:ytka|zynka)(?: pocztowa)?|postboks|postbox|postilokero|pl|а/я|p\.? ?fach|pf|cs|tsa)"
    r"\.?:? ?(?:n[°ºo]\.? ?|nr\.? ?|#)?(?P<number>[a-z]?\d[\d ]{0,6}?\d|[a-z]?\d)(?![\w])(?:-(?P<code>\d{5})\b)?",
    re.IGNORECASE,
)
_STRONG_BOX = re.compile(
    r"box|postfach|postbus|apartado|ap[dt]+o|caixa|casella|skr|postboks|postilokero|bo[iî]te|bag|а/я|p\.? ?o",
    re.IGNORECASE,
)
_CEDEX = re.compile(r"\bcedex\b\s*(\d{0,2})\s*$", re.IGNORECASE)
_CJK = re.compile(
    r"^([\u3400-\u9fff]{2,3}?[都道府県省市]|[\u3400-\u9fff]{2,4}自治区|[\uac00-\ud7a3]{2,5}[시도])(?=[\u3400-\u9fff\uac00-\ud7a3])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedPlace:
    """One way to read a text.

    Parameters
    ----------
    postcode
        As typed; empty if there is none.
    town
        As typed, without region and country; empty if there is none.
    regions
        Each stated region or country, with all its possible meanings; the place must be in one of each.
    left_out
        The part that was read as a street, a building or a box.
    beside
        The town with the text after it, if it was typed in a separate field; for messages.
    is_region_too
        Whether the town's words are also those of a region; it then counts only if the code is known to belong to it.
    called
        The person's name for the place, if a table gave the postcode: ``"Dublin 4"``.
    """

    postcode: str = ""
    town: str = ""
    regions: tuple[tuple[Region, ...], ...] = ()
    left_out: str = ""
    beside: str = ""
    is_region_too: bool = False
    called: str = ""

    def allows(self, country: str, admin: str) -> bool:
        """Return whether a place in that country and state matches all stated parts."""
        return all(any(region.holds(country, admin) for region in group) for group in self.regions)


def tidy(text: str) -> str:
    """Return a text with European digits, plain spaces and no invisible characters.

    Examples
    --------
    >>> tidy(" ٣٣١٨٠ "), tidy("๑๐๑๑๐"), tidy("１０４－００４５")
    ('33180', '10110', '104-0045')
    """
    if text.isascii():
        return _SPACE.sub(" ", text).strip() if " " in text or not text.isalnum() else text
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    digits = (str(unicodedata.digit(c)) if c.isdecimal() and not c.isascii() else c for c in plain)
    return " ".join("".join(digits).replace("−", "-").split(" ")).strip()


def read_typed(text: str, country: str | None = None) -> tuple[TypedPlace, ...]:
    """Read a text in every plausible way.

    Parameters
    ----------
    text
        What a person typed, after `tidy`: a postcode, a town, both, with region and country, or an address.
    country
        ISO 3166-1 alpha-2 code, if one was stated separately.

    Returns
    -------
    tuple of TypedPlace
        Best first, at most `MAX_READINGS`, without repeats.

    Examples
    --------
    >>> reading = read_typed("Miami, FL, 33180")[0]
    >>> reading.postcode, reading.town, [group[0].label for group in reading.regions]
    ('33180', 'Miami', ['Florida'])
    >>> [(reading.town, len(reading.regions)) for reading in read_typed("Boston MA", "US")]
    [('Boston MA', 0), ('Boston', 1)]
    """
    found: dict[TypedPlace, None] = {}
    for reading in _readings(text, country):
        found.setdefault(reading)
        if len(found) >= MAX_READINGS:
            break
    return tuple(found)


def read_town(text: str, country: str | None = None) -> tuple[TypedPlace, ...]:
    """Read a text from a field for towns: a name, then its region and country.

    Examples
    --------
    >>> reading = read_town("Köln, Cologne, Germany")[0]
    >>> reading.town, [group[0].label for group in reading.regions]
    ('Köln, Cologne', ['Germany'])
    """
    name, *tail = [part.strip() for part in _SEPARATORS.split(tidy(text)) if part.strip()] or [""]
    stated = [(part, find_regions(part, country) or find_regions(part)) for part in tail]
    kept = ", ".join([name, *(part for part, regions in stated if not regions)])
    first = TypedPlace(town=kept, regions=tuple(regions for _, regions in stated if regions), beside=text.strip())
    others = (replace(way, beside=first.beside) for way in read_typed(tidy(text), country) if not way.postcode)
    return tuple(dict.fromkeys((first, *others)))


def _readings(text: str, country: str | None) -> Iterator[TypedPlace]:
    text, box_code, box = _without_box(text, country)
    if box_code:
        yield TypedPlace(postcode=box_code, town=text, left_out=box)
    text = _CJK.sub(r"\1,", text)
    segments = [part for segment in _SEPARATORS.split(text) if (part := segment.strip(" .,-")) and fold_name(part)]
    for postcode, left, groups in _peeled(segments, country, (), ""):
        yield from _towns(postcode, left, groups, country, box)


Peeled = tuple[str, list[str], tuple[tuple[Region, ...], ...]]


def _peeled(
    segments: list[str], country: str | None, groups: tuple[tuple[Region, ...], ...], postcode: str, depth: int = 0
) -> Iterator[Peeled]:
    """Remove countries, regions and the postcode from the end, in every possible way."""
    if not segments or depth > 5:
        yield postcode, segments, groups
        return
    *before, last = segments
    within = country or next((g[0].country for g in groups if len(g) == 1 or not g[0].by_code), None)
    if not postcode:
        for code, rest in _codes(last, within):
            yield from _peeled([*before, rest] if rest else before, country, groups, code, depth + 1)
        if len(before) >= 1 and not has_digit(last):
            # "10117 Berlin, Mitte", "10117, Berlin".
            code, rest = next(_codes(before[-1], within), ("", ""))
            if code and (not rest or before[-1].startswith(code)):
                middle = [rest] if rest else []
                yield from _peeled([*before[:-1], *middle, last], country, groups, code, depth + 1)
    regions = find_regions(last, within) or (find_regions(last) if within is None or country else ())
    whole = bool(regions) and (bool(before) or bool(postcode))
    if whole and depth < 5:
        if before and _is_street_line(before[-1]) and not any(_codes(before[-1], country)):
            # "221B Baker Street, London": the city itself, although a region has its name.
            yield postcode, [last], (*groups, regions)
        yield from _peeled(before, country, (*groups, regions), postcode, depth + 1)
        if before:
            # After a comma, a region is a region; the only other possibility is a city of the same name.
            return
    yield postcode, segments, groups
    words = last.split(" ")
    for count in range(min(_WORDS_OF_A_REGION, len(words) - 1), 0, -1):
        phrase = " ".join(words[-count:])
        stated = find_regions(phrase, within) or (find_regions(phrase) if country and count == 1 and not before else ())
        if count > 1 or len(phrase) > 3:
            stated = stated or find_regions(phrase)
        if stated:
            yield from _peeled([*before, " ".join(words[:-count])], country, (*groups, stated), postcode, depth + 1)
    if not before and not groups:
        for count in range(min(_WORDS_OF_A_REGION, len(words) - 1), 0, -1):
            stated = find_regions(" ".join(words[:count]), within)
            if stated and not all(region.by_code for region in stated):
                yield from _peeled([" ".join(words[count:])], country, (stated,), postcode, depth + 1)


def _codes(segment: str, country: str | None) -> Iterator[tuple[str, str]]:
    """Remove a postcode from the end or the beginning of a segment, the longest first; the end first."""
    if not has_digit(segment):
        return
    words = segment.split(" ")
    for at_end in (True, False):
        for count in range(min(_WORDS_OF_A_CODE, len(words)), 0, -1):
            part = words[-count:] if at_end else words[:count]
            rest = words[:-count] if at_end else words[count:]
            code = " ".join(part)
            if not has_digit(part[0]) and not has_digit(part[-1]):
                continue
            if not at_end and len(rest) == 0:
                continue
            if _is_code(code, country) and (at_end or not _is_street(rest)):
                yield code, " ".join(rest)

    for start in range(1, len(words) - 1):
        # "Hauptstr. 12 10827 Berlin": no comma before the code.
        code, after = words[start], words[start + 1 :]
        if len(code) > 3 and _is_code(code, country) and not has_digit(" ".join(after)) and not _is_street(after):
            yield code, " ".join(after)


def _is_street(rest: list[str]) -> bool:
    """Return whether a number is a house number: a digit ("12 Rue 4") or a word for a street follows it."""
    return _STREET.search(fold_name(" ".join(rest))) is not None


def _is_street_line(segment: str) -> bool:
    return has_digit(segment) or _STREET.search(fold_name(segment)) is not None


_STREET = re.compile(
    r"(?<=\w )(?:street|road|avenue|ave|boulevard|blvd|drive|lane|highway|parkway)\b"
    r"|(?<=\w )(?:st|road|rd|avenue|ave|av|lane|ln|drive|dr|boulevard|blvd|bd|court|ct|place|way|highway|hwy|parkway|"
    r"pkwy|square|sq|terrace|close|crescent|rue|impasse|allee|chemin|quai|calle|carrera|cra|via|viale|corso|rua|"
    r"travessa|ulica|ul|utca|ter|gatan|vagen|gata|vej|gade|weg|platz|gasse|strasse|str|straat|laan|plein)$"
    r"|^(?:rue|avenue|av|boulevard|bd|calle|carrera|via|viale|corso|piazza|rua|avenida|ulica|ul|plaza|place)\b"
    r"|(?:strasse|str|straat|gasse|weg|platz|laan|gatan|vagen|vej|gade)$"
)


def _is_code(code: str, country: str | None) -> bool:
    if any(c.isalpha() and not c.isascii() for c in code):
        return False
    if country is not None:
        key = key_of(country, code)
        return bool(key) and has_digit(key) and fits(country, key)
    return any(has_digit(postcode.code) for postcode in countries_that_fit(code))


def _towns(
    postcode: str,
    segments: list[str],
    groups: tuple[tuple[Region, ...], ...],
    country: str | None,
    box: str,
) -> Iterator[TypedPlace]:
    """Read the rest as a town: the last part of an address, or its last words."""
    if not segments:
        yield TypedPlace(postcode=postcode, regions=groups, left_out=box)
        return
    if (cedex := _CEDEX.search(segments[-1])) is not None:
        segments = [*segments[:-1], segments[-1][: cedex.start()].strip()]
        if cedex[1] and segments[-1]:
            yield from _districts(f"{segments[-1]} {int(cedex[1])}", postcode, groups)
    for at in range(len(segments) - 1, -1, -1):
        segment = segments[at]
        if not fold_name(segment):
            continue
        if country in (None, "JP") and (code := ward_of_tokyo(segment)):
            yield TypedPlace(postcode=code, regions=(*groups, find_regions("Tokyo", "JP")), called=segment)
        others = (*segments[:at], *segments[at + 1 :])
        if not postcode and any(next(_codes(other, country), None) for other in others):
            # A typed postcode is never left out.
            continue
        # Other parts that are regions are also constraints.
        held = (*groups, *(found for other in others if (found := find_regions(other, country))))
        left_out = ", ".join(filter(None, (*others, box)))
        if has_digit(segment) or not ROMAN.keys().isdisjoint(fold_name(segment).split(" ")):
            yield from _districts(segment, postcode, held)
        is_region = bool(postcode and find_regions(segment, country))
        yield TypedPlace(postcode=postcode, town=segment, regions=held, left_out=left_out, is_region_too=is_region)
    if has_digit(" ".join(segments)) or postcode:
        yield from _last_words(segments, postcode, groups, country)


def _last_words(
    segments: list[str], postcode: str, groups: tuple[tuple[Region, ...], ...], country: str | None
) -> Iterator[TypedPlace]:
    """Read the last words of a street's line as the town: "123 Main Street Boston"."""
    words = segments[-1].split(" ")
    for start in range(1, len(words)):
        town = " ".join(words[start:])
        if has_digit(town) or len(fold_name(town)) < 3 or _STREET.search(f"x {fold_name(town)}"):
            continue
        street = ", ".join((*segments[:-1], " ".join(words[:start])))
        if not postcode and any(len(word) > 3 and _is_code(word, country) for word in words[1:start]):
            return
        if regions := find_regions(town, country) or find_regions(town):
            # The city of New York is in the state; "Highway 11, Brazil" does not mean a town called Brazil.
            yield TypedPlace(postcode=postcode, town=town, regions=(*groups, regions), left_out=street)
            return
        yield TypedPlace(postcode=postcode, town=town, regions=groups, left_out=street)


def _districts(segment: str, postcode: str, groups: tuple[tuple[Region, ...], ...]) -> Iterator[TypedPlace]:
    found = district(segment)
    if found is None:
        return
    city, country, code = found
    if code:
        held = (*groups, (Region(country),))
        if postcode:
            yield TypedPlace(postcode=postcode, town=city, regions=held)
        yield TypedPlace(postcode=code, town=city, regions=held, called=segment)
    else:
        yield TypedPlace(postcode=postcode, town=city, regions=groups, left_out=segment[len(city) :].strip())


def _without_box(text: str, country: str | None) -> tuple[str, str, str]:
    """Remove a post office box: return the text without it, the code after its dash, and the box."""
    found = _BOX.search(text)
    if found is None:
        return text, "", ""
    # "PL 00-950", "CP 1010" and "BP 13" can also be postcodes: a box only with other text.
    rest = (text[: found.start()] + "," + text[found.end() :]).strip(" ,")
    if _STRONG_BOX.search(found[0]) is None and (found["code"] or not rest or not has_digit(rest)):
        return text, "", ""
    return rest, found["code"] or "", found[0].strip()
