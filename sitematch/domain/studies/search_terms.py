"""The words by which studies are found: one reading of texts, so that every database finds the same studies.

Databases part and reduce words each in its own way. So we do it, and give them only what is left: letters and digits,
in small letters, without accents and without an English plural's ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sitematch.domain.studies.study import Study
from sitematch.errors import InvalidInput

MAX_QUERY_LENGTH = 200
"""Characters of a query; a longer one is refused unread."""

_ASCII_WORD = re.compile(r"[0-9a-z]+")
_LONGEST = 60
_PLURAL_ENDING = re.compile(r"(?<=.)(?:ies|ie|i|s)$")
_LONGEST_ENDING = 3
_SAY_NOTHING = frozenset({"a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})
_APOSTROPHES = re.compile(r"['’ʼ]")


def words_of(text: str) -> tuple[str, ...]:
    """Part a text into words, each in the form that is compared.

    Parameters
    ----------
    text
        Anything.

    Returns
    -------
    tuple of str
        In the text's order, repeated ones too. Each holds letters and digits only, at most 60 of them.

    Notes
    -----
    Plurals lose their ending by three rules (Harman, How effective is suffixing?, JASIS 42, 1991). They also clip
    words that are no plurals ("nephritis"), which does no harm: texts and queries are read alike.

    Examples
    --------
    >>> words_of("Lupus Nephritis, Sjögren’s; biopsies (299LE101)")
    ('lupus', 'nephriti', 'sjogren', 'biopsy', '299le101')
    """
    return tuple(map(compared, plain_words(text)))


def plain_words(text: str) -> tuple[str, ...]:
    """Part a text into words of letters and digits, without case and accents, plurals and all.

    Examples
    --------
    >>> plain_words("Hôpital Saint-Louis: Children's studies")
    ('hopital', 'saint', 'louis', 'childrens', 'studies')
    """
    if text.isascii():  # the same, at less than half the cost
        return tuple(_ASCII_WORD.findall(text.replace("'", "").lower()))
    # Twice: what stands for several letters ("℡") shows its capitals only when it is taken apart.
    plain = _decompose(_decompose(_APOSTROPHES.sub("", text)).casefold())
    kept = (letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    return tuple("".join(kept).split())


def compared(word: str) -> str:
    """Return the form of a plain word that is compared; see `words_of`."""
    return _singular(word)[:_LONGEST]


def stem_of(beginning: str) -> str:
    """Return what the compared forms of all plain words with some beginning begin with, or less.

    Examples
    --------
    >>> [stem_of(beginning) for beginning in ("nephri", "studie", "studies", "lupus", "s")]
    ['nephr', 'stud', 'stud', 'lupu', 's']
    """
    return _PLURAL_ENDING.sub("", beginning)[: _LONGEST - _LONGEST_ENDING]


def query_words(text: str, *, field: str) -> tuple[str, ...]:
    """Read what a person searches for.

    Parameters
    ----------
    text
        Words in any order; signs between them mean nothing.
    field
        Name of the input, for the error.

    Returns
    -------
    tuple of str
        Each word once, without "of" and its like unless there is nothing else; never empty.

    Raises
    ------
    InvalidInput
        If there is no letter or digit in it, or it is too long.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise InvalidInput(f"The search is longer than {MAX_QUERY_LENGTH} characters.", field=field)
    found = tuple(dict.fromkeys(words_of(text)))
    if not found:
        raise InvalidInput("The search has no words. Write for example lupus nephritis.", field=field)
    return tuple(word for word in found if word not in _SAY_NOTHING) or found


def heading_words(study: Study) -> tuple[str, ...]:
    """Return what a study is about: the words of its ids, title, conditions, keywords and interventions, each once."""
    return _unique(
        (study.study_id, *study.other_ids, study.title, *study.conditions, *study.keywords, *study.interventions)
    )


def summary_words(study: Study) -> tuple[str, ...]:
    """Return the words of a study's summary and sponsor that `heading_words` lacks, each once."""
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
