"""Whether a text fits what is searched for, as FHIR's string search compares: word by word, from the beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from sitematch.domain.studies.search_terms import plain_words


class TextFit(Enum):
    """How a text has to fit. But for `EXACT`, case, accents, punctuation and how much blank there is do not count."""

    STARTS = auto()
    """Its words begin with those wanted, of which the last may go on."""
    CONTAINS = auto()
    """It holds those wanted in a row; the first may be the end of a word, the last the beginning of one."""
    EXACT = auto()
    """It is that, letter by letter."""


class Field(Enum):
    """A text that can be looked for."""

    FACILITY = auto()
    CITY = auto()
    TITLE = auto()
    CONDITION = auto()


@dataclass(frozen=True, slots=True)
class TextTest:
    """One of some texts has to fit.

    Parameters
    ----------
    field
        Where.
    wanted
        Any of these; what holds no letter or digit fits nothing, unless `fit` is EXACT.
    fit
        How.
    """

    field: Field
    wanted: tuple[str, ...]
    fit: TextFit = TextFit.STARTS

    def words(self) -> tuple[tuple[str, ...], ...]:
        """Return the words of each that is wanted and has any."""
        return tuple(words for words in map(plain_words, self.wanted) if words)

    def check(self) -> Callable[[Iterable[str]], bool]:
        """Make what tells whether one of some texts fits one of those wanted; made once, it is asked of many."""
        if self.fit is TextFit.EXACT:
            return lambda texts: any(text in self.wanted for text in texts)
        wanted = tuple(" ".join(words) for words in self.words())
        if self.fit is TextFit.CONTAINS:
            return lambda texts: any(want in text for text in map(_plain, texts) for want in wanted)
        return lambda texts: any(_plain(text).startswith(wanted) for text in texts)


@lru_cache(maxsize=16)  # many tests ask about the same text in turn
def _plain(text: str) -> str:
    return " ".join(plain_words(text))
