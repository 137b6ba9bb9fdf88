"""Matching of the sites in a new record with the sites in the catalogue, so that the same place keeps its id.

Records have no site ids, and spellings change: a sponsor's tag appears or disappears, a name is corrected, a postcode
gets its last four digits. So sites are paired in rounds, from full agreement to similarity, and each site at most once.
Doubtful pairs are not made: a site that is wrongly treated as new is a visible duplicate, but a site that is wrongly
treated as the same gives its participants to another clinic.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from sitematch.domain.studies.placeholders import is_heading, is_placeholder

SAME_WORD = 0.8
"""Similarity of two words, 0 to 1, from which one counts as a misspelling of the other."""

LEAST = 0.6
"""Similarity of two names, 0 to 1, below which they do not belong to the same site."""

MARGIN = 0.06
"""Margin by which the best similarity of two names must exceed the second best."""

_NUMBER = re.compile(r"\d+")
# Words that distinguish two branches of one clinic.
_TELLING = frozenset(
    {
        "north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest", "nord",
        "sud", "est", "ouest", "norte", "sur", "este", "oeste", "i", "ii", "iii", "iv", "v", "first", "second",
        "third", "fourth", "fifth", "sixth", "adult", "adults", "children", "childrens", "pediatric", "paediatric",
        "women", "womens", "a", "b", "c", "d", "e"
    }
)  # fmt: skip
# Words in half of all names: if one name lacks them, that means nothing.
_COMMON = frozenset(
    {
        "the", "of", "and", "for", "at", "in", "de", "del", "della", "di", "da", "do", "dos", "das", "la", "le",
        "les", "el", "et", "und", "e", "y", "i", "der", "des", "du", "van", "hospital", "hospitals", "clinic",
        "clinics", "clinical", "center", "centre", "centro", "centrum", "university", "universitaire",
        "universitario", "universita", "universidad", "medical", "medicine", "health", "healthcare", "research",
        "institute", "group", "associates", "llc", "inc", "pllc", "pc", "pa", "ltd", "gmbh", "co", "corp",
        "corporation", "sa", "srl", "sro", "spzoo", "parent", "foundation", "trust", "nhs", "department", "dept",
        "division", "main", "campus"
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """The values that identify a site.

    Parameters
    ----------
    facility, city, postcode, country
        As `sitematch.domain.studies.site.Site` has them.
    """

    facility: str
    city: str
    postcode: str
    country: str
    address: str = ""


@lru_cache(maxsize=65_536)
def compact(text: str) -> str:
    """Reduce a text to its letters and digits, without case and accents, so that two spellings of one name are equal.

    Examples
    --------
    >>> compact("Hôpital Saint-Louis") == compact("HOPITAL  SAINT LOUIS")
    True
    >>> compact("´710061"), compact("臺大醫院")
    ('710061', '臺大醫院')
    """
    if text.isascii():
        return "".join(filter(str.isalnum, text.lower()))
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold())))


def similarity(one: str, other: str, *, same_postcode: bool = False, town: str = "") -> float:
    """Measure the similarity of two names, 0 to 1, word by word.

    Parameters
    ----------
    one, other
        The names of two facilities.
    same_postcode
        If true, one of the names may have more words than the other.
    town
        Its words have no weight, because every clinic there may have them in its name.

    Returns
    -------
    float
        1 for the same letters and digits, or the same words in another order; 0 if a significant word, a number or a
        word for a branch (north, II, pediatric) has no counterpart in the other name; otherwise the share of the
        letters of significant words with a counterpart. Comparing letters alone is not enough: two hospitals of one
        university share most of them.

    Examples
    --------
    >>> similarity("University Hospital Cologne", "Cologne, University Hospital")
    1.0
    >>> similarity("Clinic North", "Clinic South"), similarity("Tianjin Eye Hospital", "Tianjin General Hospital")
    (0.0, 0.0)
    >>> similarity("Captial Medical University", "Capital Medical University Hospital")
    1.0
    >>> round(similarity("Metro Oncology", "Metro Community Oncology", same_postcode=True), 2)
    0.74
    """
    if compact(one) == compact(other):
        return 1.0
    words, other_words = list(_words(one)), list(_words(other))
    if sorted(words) == sorted(other_words):
        return 1.0
    if _NUMBER.findall(one) != _NUMBER.findall(other):
        return 0.0
    common = _COMMON.union(_words(town))
    total = sum(len(word) for word in (*words, *other_words) if word not in common)
    shared = _take_fellows(words, other_words)
    lacking = [{word for word in left if word not in common} for left in (words, other_words)]
    if any(left & _TELLING for left in lacking) or common.issuperset(shared):
        return 0.0
    if (lacking[0] and lacking[1]) or ((lacking[0] or lacking[1]) and not same_postcode):
        return 0.0
    return 1 - sum(map(len, (*lacking[0], *lacking[1]))) / total


def _take_fellows(words: list[str], other_words: list[str]) -> list[str]:
    """Remove the words that both lists have, or that one has misspelled, and return them."""
    shared = []
    for word in tuple(words):
        fellow = word if word in other_words else _misspelled(word, other_words)
        if fellow:
            words.remove(word)
            other_words.remove(fellow)
            shared.append(word)
    return shared


def _misspelled(word: str, words: list[str]) -> str:
    if len(word) < 4:
        return ""
    scores = [(SequenceMatcher(None, word, other, autojunk=False).ratio(), other) for other in words]
    score, best = max(scores, default=(0.0, ""))
    return best if score >= SAME_WORD and len(best) >= 4 else ""


@lru_cache(maxsize=16_384)
def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in re.split(r"[\W_]+", text) if (word := compact(part)))


def pair(old: Sequence[SiteIdentity], new: Sequence[SiteIdentity]) -> dict[int, int]:
    """Pair sites of two versions of a study.

    Parameters
    ----------
    old, new
        In the order of their records. Country codes must have the same form.

    Returns
    -------
    dict
        Position in `new` to position in `old`, one to one; a missing position is a new site, or a site that is no
        longer listed.

    Notes
    -----
    Sites that cannot be distinguished (five times "Research Site" in one postcode) are paired in their order; which is
    which makes no visible difference. The rounds: all four values agree; then name with postcode or town, if exactly
    one old and one new site agree; then a placeholder that got its name, in the same postcode and town; then similar
    names in one town or postcode. The time is linear except for the last round, which compares within a town.
    """
    pairs: dict[int, int] = {}
    left_old, left_new = dict(enumerate(old)), dict(enumerate(new))

    def settle(found: Sequence[tuple[int, int]]) -> None:
        for i_old, i_new in found:
            pairs[i_new] = i_old
            del left_old[i_old], left_new[i_new]

    settle(_in_order(left_old, left_new, _with_address))
    settle(_in_order(left_old, left_new, _full_key))
    for key in (_name_and_postcode, _name_and_town, _name_alone):
        settle(_only_ones(left_old, left_new, key))
    settle(
        [
            (i_old, i_new)
            for i_old, i_new in _only_ones(left_old, left_new, _postcode_and_town)
            if is_placeholder(old[i_old].facility) != is_placeholder(new[i_new].facility)
        ]
    )
    if left_old and left_new:
        settle(_alike(left_old, left_new))
    return pairs


def pair_with_left_out(
    old: Sequence[SiteIdentity], new: Sequence[SiteIdentity], left_out: Sequence[SiteIdentity]
) -> tuple[dict[int, int], frozenset[int]]:
    """Pair sites like `pair`, and find the old sites that unusable rows name.

    Parameters
    ----------
    old, new
        See `pair`.
    left_out
        The readable part of the unusable rows; the country may be empty.

    Returns
    -------
    tuple
        What `pair` returns, and the positions in `old` that are not paired but may still be listed.

    Notes
    -----
    Rows that were left out take part in the pairing like any other, so that their sites are not matched with other
    rows. An unpaired site is held back if one of these rows could be its row; if a row has no readable value, every
    unpaired site is held back. A site that is wrongly kept is visible; a site that is wrongly closed turns patients
    away.
    """
    if not left_out:
        return pair(old, new), frozenset()
    told = [_with_country(row, old) for row in left_out]
    every = pair(old, [*new, *told])
    pairs = {position: of for position, of in every.items() if position < len(new)}
    held = {of for position, of in every.items() if position >= len(new)}
    rest = [position for position in range(len(old)) if position not in {*pairs.values(), *held}]
    if any(not (row.facility or row.city or row.postcode) for row in left_out):
        return pairs, frozenset((*held, *rest))
    by_word: dict[Hashable, list[SiteIdentity]] = defaultdict(list)
    for row in left_out:
        for word in _key_words(row):
            by_word[word].append(row)
    for position in rest:
        site = old[position]
        rows = {row for word in _key_words(site) for row in by_word.get(word, ())}
        if any(_could_be(site, row) for row in rows):
            held.add(position)
    return pairs, frozenset(held)


def _could_be(site: SiteIdentity, row: SiteIdentity) -> bool:
    """Return whether a row may belong to a site: all its values are the same, or the two would be paired."""
    if set(_key_words(row)) <= set(_key_words(site)):
        return True
    return bool(pair([site], [replace(row, country=site.country)]))


def _with_country(row: SiteIdentity, old: Sequence[SiteIdentity]) -> SiteIdentity:
    """Return a row with an unreadable country with the country of the site that it most likely names."""
    if row.country:
        return row
    words = set(_key_words(row))
    likely = max(old, key=lambda site: len(words.intersection(_key_words(site))), default=None)
    return row if likely is None else replace(row, country=likely.country)


def _key_words(site: SiteIdentity) -> list[Hashable]:
    return [(kind, word) for kind in ("facility", "city", "postcode") if (word := compact(getattr(site, kind)))]


Key = Callable[[SiteIdentity], Hashable]


def _with_address(site: SiteIdentity) -> Hashable:
    # The streets distinguish two clinics with the same name and postcode.
    return (*_agreed(site), compact(site.address)) if site.address else None


def _full_key(site: SiteIdentity) -> Hashable:
    return _agreed(site)


def _agreed(site: SiteIdentity) -> tuple[str, str, str, str]:
    return _name(site), compact(site.city), compact(site.postcode), site.country


def _name(site: SiteIdentity) -> str:
    # A heading in any language says the same: there is no name.
    return "" if is_heading(site.facility) else compact(site.facility)


def _name_and_postcode(site: SiteIdentity) -> Hashable:
    code = compact(site.postcode)
    return (_name(site), code, site.country) if code else None


def _name_and_town(site: SiteIdentity) -> Hashable:
    # "Research Site" in Tokyo can be any of a dozen sites.
    return None if is_placeholder(site.facility) else (compact(site.facility), compact(site.city), site.country)


def _name_alone(site: SiteIdentity) -> Hashable:
    # A long name is enough: the town was corrected, or the clinic moved to a neighbouring town.
    name = compact(site.facility)
    return None if is_placeholder(site.facility) or len(name) < 12 else (name, site.country)


def _postcode_and_town(site: SiteIdentity) -> Hashable:
    code = compact(site.postcode)
    return (code, compact(site.city), site.country) if code else None


def _grouped(left: dict[int, SiteIdentity], key: Key) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for position, site in left.items():
        found = key(site)
        if found is not None:
            groups[found].append(position)
    return groups


def _in_order(old: dict[int, SiteIdentity], new: dict[int, SiteIdentity], key: Key) -> list[tuple[int, int]]:
    groups = _grouped(new, key)
    return [
        pair_
        for found, positions in _grouped(old, key).items()
        for pair_ in zip(positions, groups.get(found, ()), strict=False)
    ]


def _only_ones(old: dict[int, SiteIdentity], new: dict[int, SiteIdentity], key: Key) -> list[tuple[int, int]]:
    groups = _grouped(new, key)
    return [
        (positions[0], groups[found][0])
        for found, positions in _grouped(old, key).items()
        if len(positions) == 1 and len(groups.get(found, ())) == 1
    ]


def _alike(old: dict[int, SiteIdentity], new: dict[int, SiteIdentity]) -> list[tuple[int, int]]:
    """Pair by similarity if each site is the other's best match by a margin."""
    by_town: dict[Hashable, list[int]] = defaultdict(list)
    for i_old, site in old.items():
        for key in {(site.country, compact(site.city)), (site.country, "", compact(site.postcode))}:
            by_town[key].append(i_old)
    scores: dict[tuple[int, int], float] = {}
    for i_new, site in new.items():
        if is_placeholder(site.facility):
            continue
        near = {*by_town.get((site.country, compact(site.city)), ())}
        if site.postcode:
            near.update(by_town.get((site.country, "", compact(site.postcode)), ()))
        for i_old in near:
            other = old[i_old]
            if is_placeholder(other.facility):
                continue
            same_code = bool(site.postcode) and compact(site.postcode) == compact(other.postcode)
            score = similarity(other.facility, site.facility, same_postcode=same_code, town=site.city)
            if score >= LEAST:
                scores[i_old, i_new] = score + same_code * MARGIN
    best_of_old, best_of_new = _best(scores, 0), _best(scores, 1)
    return [at for at in scores if best_of_old.get(at[0]) == at and best_of_new.get(at[1]) == at]


def _best(scores: dict[tuple[int, int], float], side: int) -> dict[int, tuple[int, int]]:
    """Return each site's best pair, if it exceeds the second best by the margin."""
    ranked: dict[int, list[tuple[float, tuple[int, int]]]] = defaultdict(list)
    for at, score in scores.items():
        ranked[at[side]].append((score, at))
    best: dict[int, tuple[int, int]] = {}
    for position, found in ranked.items():
        found.sort(reverse=True)
        if len(found) == 1 or found[0][0] - found[1][0] >= MARGIN:
            best[position] = found[0][1]
    return best
