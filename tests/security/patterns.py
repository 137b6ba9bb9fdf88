r"""Finds regular expressions that a hostile text can make take exponential time.

A pattern is at risk when one text can be matched in several ways inside a loop: a repeat whose end may also be read as
its own continuation (``(?:a+/?)*``), or a choice whose branches begin alike (``(?:\w|\d\d)*``). The check is stricter than
it must be: it may name a pattern that is safe for a subtler reason, and that pattern is then better written plainly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ALPHABET = frozenset([*map(chr, range(256)), "İ", "ß", "Ω", "٣", "๑", "市", "é", "\u2028", "\u3000"])
LONG = 20
"""A repeat that may go on for longer counts as a loop."""

_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT}


def risks(pattern: str, flags: int = 0) -> list[str]:
    r"""Return why a pattern is at risk; empty if it is not.

    Examples
    --------
    >>> risks(r"(?:/[a-z]+)*/?")
    []
    >>> risks(r"/(?:[a-z]+/?)*")
    ['a repeat within a loop may end anywhere']
    >>> risks(r"(?:\w|\d\d)*c")
    ['branches within a loop begin alike']
    """
    tree = parser.parse(pattern, flags)
    return sorted(set(_in_loops(list(tree), tree.state.flags)))


def _in_loops(items: list[Any], flags: int) -> Iterator[str]:
    for op, argument in items:
        for body in _bodies(op, argument):
            if op in _REPEATS and _is_loop(argument):
                yield from _faults(list(body), flags)
            yield from _in_loops(list(body), flags)


def _faults(body: list[Any], flags: int) -> Iterator[str]:
    """Say what is ambiguous in the body of a loop, whose end is followed by its beginning."""
    if _may_be_empty(body):
        yield "the body of a loop may be empty"
        return
    for place, (op, argument) in enumerate(body):
        following = body[place + 1 :] + body[: place + 1]
        if op in _REPEATS and _is_loop(argument) and _first(list(argument[2]), flags) & _first(following, flags):
            yield "a repeat within a loop may end anywhere"
        if op is codes.BRANCH:
            seen: frozenset[str] = frozenset()
            for branch in argument[1]:
                begins = _first(list(branch), flags)
                if seen & begins:
                    yield "branches within a loop begin alike"
                seen |= begins
        if op is codes.SUBPATTERN:
            yield from _faults(list(argument[3]) + body[place + 1 :] + body[:place], argument[1] | flags)


def _is_loop(argument: Any) -> bool:
    return argument[1] is codes.MAXREPEAT or argument[1] > LONG


def _bodies(op: Any, argument: Any) -> list[Any]:
    if op in _REPEATS or op is codes.POSSESSIVE_REPEAT:
        return [argument[2]]
    if op is codes.SUBPATTERN:
        return [argument[3]]
    if op is codes.BRANCH:
        return list(argument[1])
    if op in (codes.ASSERT, codes.ASSERT_NOT):
        return [argument[1]]
    if op is codes.ATOMIC_GROUP:
        return [argument]
    return []


def _may_be_empty(items: list[Any]) -> bool:
    return all(_is_optional(op, argument) for op, argument in items)


def _is_optional(op: Any, argument: Any) -> bool:
    if op in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
        return True
    if op in _REPEATS or op is codes.POSSESSIVE_REPEAT:
        return argument[0] == 0 or _may_be_empty(list(argument[2]))
    if op is codes.SUBPATTERN:
        return _may_be_empty(list(argument[3]))
    if op is codes.BRANCH:
        return any(_may_be_empty(list(branch)) for branch in argument[1])
    return False


def _first(items: list[Any], flags: int) -> frozenset[str]:
    """Return the characters that a text matched by these items may begin with."""
    found: frozenset[str] = frozenset()
    for op, argument in items:
        bodies = _bodies(op, argument)
        if op in (codes.ASSERT, codes.ASSERT_NOT, codes.AT):
            continue
        if bodies:
            for body in bodies:
                found |= _first(list(body), flags)
        else:
            found |= _characters(op, argument, flags)
        if not _is_optional(op, argument):
            break
    return found


def _characters(op: Any, argument: Any, flags: int) -> frozenset[str]:
    """Return which characters of the alphabet one item takes, asking the engine itself."""
    state = parser.State()
    state.flags = flags
    pattern = parser.SubPattern(state, [(op, argument)])
    compiled = re._compiler.compile(pattern, flags & ~re.UNICODE | re.UNICODE)  # type: ignore[attr-defined]
    return frozenset(character for character in ALPHABET if compiled.fullmatch(character))
