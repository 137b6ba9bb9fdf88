"""What a check of an installation found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How bad it is, from good to bad."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name
        What it is, e.g. ``"database"``.
    state
        ``OK``; ``WARNING``: it works, but something should be done; ``FAULT``: the service, or a part of it, does not
        work.
    said
        What was found, in one or two sentences. It holds no password and nothing personal.
    what_to_do
        Empty if there is nothing to do.
    """

    name: str
    state: CheckState
    said: str
    what_to_do: str = ""


def ok(name: str, said: str) -> Check:
    """Return that something is as it should be."""
    return Check(name=name, state=CheckState.OK, said=said)


def warning(name: str, said: str, what_to_do: str) -> Check:
    """Return that something works, but should be seen to."""
    return Check(name=name, state=CheckState.WARNING, said=said, what_to_do=what_to_do)


def fault(name: str, said: str, what_to_do: str) -> Check:
    """Return that something does not work."""
    return Check(name=name, state=CheckState.FAULT, said=said, what_to_do=what_to_do)


def worst(checks: tuple[Check, ...]) -> CheckState:
    """Return the worst state of some checks; none at all is good.

    Examples
    --------
    >>> worst((ok("a", "fine"), warning("b", "old", "renew it"))).value
    'warning'
    """
    order = list(CheckState)
    return max((check.state for check in checks), key=order.index, default=CheckState.OK)
