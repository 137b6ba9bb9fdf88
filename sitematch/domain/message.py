"""Sentences in English that keep their pattern and their facts, so that a page can say them in another language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CountryName:
    """A country in a sentence.

    Parameters
    ----------
    code
        ISO 3166-1 alpha-2 code.
    in_text
        Its English name as it stands in a sentence: ``"the United States"``.
    has_code
        Whether the code follows in brackets.
    """

    code: str
    in_text: str
    has_code: bool = False

    def __str__(self) -> str:
        return f"{self.in_text} ({self.code})" if self.has_code else self.in_text


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Several things in a row.

    Parameters
    ----------
    items
        Those that are named, at least one.
    more
        How many more there are.
    is_choice
        Whether one of them is meant ("or") or all of them ("and").
    """

    items: tuple[str | CountryName, ...]
    more: int = 0
    is_choice: bool = False

    def __str__(self) -> str:
        texts = [*map(str, self.items), *([f"{self.more} more"] if self.more else [])]
        joiner = " or " if self.is_choice else " and "
        return joiner.join(filter(None, (", ".join(texts[:-1]), texts[-1])))


Fact: TypeAlias = "str | int | CountryName | Enumeration | Message | tuple[str | CountryName, ...]"
"""What stands in a sentence; a tuple is a place with what it lies in, finest first."""


class Message(str):
    """A sentence in English; it is a plain text to everyone who does not ask for more.

    Parameters
    ----------
    pattern
        The sentence with its facts as ``%(name)s``: what translators see.
    facts
        By name. A count is an int.

    Examples
    --------
    >>> told = Message("%(code)s is known only in %(country)s.", code="1010", country=CountryName("AT", "Austria"))
    >>> told, told.pattern
    ('1010 is known only in Austria.', '%(code)s is known only in %(country)s.')
    """

    pattern: str
    facts: dict[str, Fact]

    def __new__(cls, pattern: str, /, **facts: Fact) -> Message:
        """Fill in the facts in English."""
        text = pattern % {name: _in_english(fact) for name, fact in facts.items()} if facts else pattern
        self = super().__new__(cls, text)
        self.pattern, self.facts = pattern, facts
        return self

    def __reduce__(self) -> tuple[Callable[..., Message], tuple[str, dict[str, Fact]]]:
        """Allow copies and child processes."""
        return _made_again, (self.pattern, self.facts)


def pattern(text: str) -> str:
    """Return a pattern that stands apart from its `Message`, marked for translators."""
    return text


def in_a_row(*messages: str) -> Message:
    """Return several sentences as one.

    Examples
    --------
    >>> in_a_row(Message("There is no such code."), Message("Check it."))
    'There is no such code. Check it.'
    """
    parts = {f"part{i}": message for i, message in enumerate(messages)}
    whole = " ".join(f"%({name})s" for name in parts)
    return Message(whole, **parts)


def _made_again(pattern: str, facts: dict[str, Fact]) -> Message:
    return Message(pattern, **facts)


def _in_english(fact: Fact) -> str:
    if isinstance(fact, int):
        return f"{fact:,}"
    return ", ".join(map(str, fact)) if isinstance(fact, tuple) else str(fact)
