"""Search terms of studies: texts are normalised here, so that every database finds the same studies.

Each database splits and normalises words in its own way. So sitematch does it, and gives them only normalised words:
letters and digits, in lower case, without accents and without English plural endings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sitematch.domain.studies.study import Study
from sitematch.errors import InvalidInput

MAX_QUERY_LENGTH = 200
"""Maximum length of a query, in characters."""

_ASCII_WORD = re.compile(r"[0-9a-z]+")
_LONGEST = 60
_PLURAL_ENDING = re.compile(r"(?<=.)(?:ies|ie|i|s)$")
_LONGEST_ENDING = 3
_SAY_NOTHING = frozenset({"a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})
_APOSTROPHES = re.compile(r"['’ʼ]")


def words_of(text: str) -> tuple[str, ...]:
    """Split a text into words in the form that is compared.

    Parameters
    ----------
    text
        Anything.

    Returns
    -------
    tuple of str
        In the text's order, including repeated words. Each has only letters and digits, at most 60.

    Notes
    -----
    Three rules remove plural endings (Harman, How effective is suffixing?, JASIS 42, 1991). They also shorten words
    that are not plurals ("nephritis"). This causes no problem, because texts and queries are treated the same way.

    Examples
    --------
    >>> words_of("Lupus Nephritis, Sjögren’s; biopsies (299LE101)")
    ('lupus', 'nephriti', 'sjogren', 'biopsy', '299le101')
    """
    return tuple(map(compared, plain_words(text)))


def plain_words(text: str) -> tuple[str, ...]:
    """Split a text into words of letters and digits, without case and accents, with plural endings.

    Examples
    --------
    >>> plain_words("Hôpital Saint-Louis: Children's studies")
    ('hopital', 'saint', 'louis', 'childrens', 'studies')
    """
    if text.isascii():  # the same result in less than half the time
        return tuple(_ASCII_WORD.findall(text.replace("'", "").lower()))
    # Twice, because a character for several letters ("℡") has capitals only after it is decomposed.
    plain = _decompose(_decompose(_APOSTROPHES.sub("", text)).casefold())
    kept = (letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    return tuple("".join(kept).split())


def compared(word: str) -> str:
    """Return the form of a plain word that is used in comparisons; see `words_of`."""
    return _singular(word)[:_LONGEST]


def stem_of(beginning: str) -> str:
    """Return a prefix that the compared forms of all plain words with a given beginning share.

    Examples
    --------
    >>> [stem_of(beginning) for beginning in ("nephri", "studie", "studies", "lupus", "s")]
    ['nephr', 'stud', 'stud', 'lupu', 's']
    """
    return _PLURAL_ENDING.sub("", beginning)[: _LONGEST - _LONGEST_ENDING]


def query_words(text: str, *, field: str) -> tuple[str, ...]:
    """Parse a search query.

    Parameters
    ----------
    text
        Words in any order; signs between them are ignored.
    field
        Name of the input, for the error.

    Returns
    -------
    tuple of str
        Each word once, without words such as "of" unless there are no others; never empty.

    Raises
    ------
    InvalidInput
        If it has no letter or digit, or is too long.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise InvalidInput(f"The search is longer than {MAX_QUERY_LENGTH} characters.", field=field)
    found = tuple(dict.fromkeys(words_of(text)))
    if not found:
        raise InvalidInput("The search has no words. Write for example lupus nephritis.", field=field)
    return tuple(word for word in found if word not in _SAY_NOTHING) or found


def heading_words(study: Study) -> tuple[str, ...]:
    """Return the words of a study's ids, title, conditions, keywords and interventions, each once."""
    return _unique(
        (study.study_id, *study.other_ids, study.title, *study.conditions, *study.keywords, *study.interventions)
    )


def summary_words(study: Study) -> tuple[str, ...]:
    """Return the words of a study's summary and sponsor that are not in `heading_words`, each once."""
    heading = set(heading_words(study))
    return tuple(word for word in _unique((study.summary, study.sponsor)) if word not in heading)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for text in texts for word in words_of(text)))


def _decompose(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]
