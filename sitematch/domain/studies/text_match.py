"""Text comparison of FHIR's string search: word by word, from the beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from sitematch.domain.studies.search_terms import plain_words


class TextFit(Enum):
    """How a text must match. Except for `EXACT`, case, accents, punctuation and the amount of space are ignored."""

    STARTS = auto()
    """The text begins with the wanted words; the last one may be incomplete."""
    CONTAINS = auto()
    """The text contains the wanted words in a row; the first may be the end of a word, the last the beginning of
    one."""
    EXACT = auto()
    """The text is equal, letter by letter."""


class Field(Enum):
    """A field that can be searched."""

    FACILITY = auto()
    CITY = auto()
    STATE = auto()
    POSTCODE = auto()
    ADDRESS = auto()
    """Any part of an address: street, town, state, postcode or country code."""
    TITLE = auto()
    CONDITION = auto()


@dataclass(frozen=True, slots=True)
class TextTest:
    """A condition: one of the texts of a field must match.

    Parameters
    ----------
    field
        Where.
    wanted
        Any of these; a text without letters and digits matches nothing, unless `fit` is EXACT.
    fit
        How.
    """

    field: Field
    wanted: tuple[str, ...]
    fit: TextFit = TextFit.STARTS

    def words(self) -> tuple[tuple[str, ...], ...]:
        """Return the words of each wanted text that has any."""
        return tuple(words for words in map(plain_words, self.wanted) if words)

    def check(self) -> Callable[[Iterable[str]], bool]:
        """Return a function that checks whether any text of a field matches; create it once for many checks."""
        if self.fit is TextFit.EXACT:
            return lambda texts: any(text in self.wanted for text in texts)
        wanted = tuple(" ".join(words) for words in self.words())
        if self.fit is TextFit.CONTAINS:
            return lambda texts: any(want in text for text in map(_plain, texts) for want in wanted)
        return lambda texts: any(_plain(text).startswith(wanted) for text in texts)


@lru_cache(maxsize=16)  # many checks use the same text one after another
def _plain(text: str) -> str:
    return " ".join(plain_words(text))
