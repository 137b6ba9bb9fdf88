"""Repairs held against sources that they did not use: better or worse, rule by rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sitematch.errors import DataFault, Fault
from sitematch.gazetteer.build.rows import Repair, Rows
from sitematch.gazetteer.build.zcta import apart_km

SAME_KM = 1.0
"""A repair that comes less than this nearer or further is neither better nor worse."""


@dataclass(frozen=True, slots=True)
class Held:
    """Points of an independent source.

    Parameters
    ----------
    source
        `sources.Source.id`.
    points
        Code to latitude and longitude, degrees.
    uses
        The rule that uses this source, and that it therefore cannot judge; empty if none does.
    """

    source: int
    points: Mapping[str, tuple[float, float]]
    uses: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What independent sources say of one rule in one country.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    rule
        The rule's name.
    moved
        Codes that it moved.
    better, worse
        Codes that came nearer to the independent point by a kilometre or more, or further from it.
    """

    country: str
    rule: str
    moved: int
    better: int
    worse: int


def judge(country: str, rows: Rows, repairs: Sequence[Repair], held: Sequence[Held]) -> tuple[Verdict, ...]:
    """Hold one country's repairs against the sources that were not used for them.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    rows
        Where its codes are now, sorted by key.
    repairs
        What moved.
    held
        Independent sources; the first that has the code and that the rule did not use is asked.

    Returns
    -------
    A verdict a rule, sorted.
    """
    at = {key: index for index, (_, key) in enumerate(rows.codes)} if repairs else {}
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for repair in repairs:
        counts = tally[repair.rule]
        counts[0] += 1
        truth = next(
            (one.points[repair.key] for one in held if one.uses != repair.rule and repair.key in one.points), None
        )
        if truth is None:
            continue
        index = at[repair.key]
        now = apart_km((float(rows.latitude[index]), float(rows.longitude[index])), truth)
        before = apart_km((repair.was_latitude, repair.was_longitude), truth)
        if abs(now - before) >= SAME_KM:
            counts[1 if now < before else 2] += 1
    return tuple(Verdict(country, rule, *tally[rule]) for rule in sorted(tally))


def refuse_harm(verdicts: Sequence[Verdict]) -> None:
    """Stop the build where a rule made more codes worse than better, in a country or over all.

    Raises
    ------
    DataFault
        With every such rule.
    """
    overall: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in verdicts:
        overall[one.rule][0] += one.better
        overall[one.rule][1] += one.worse
    harm = [(one.country, one.rule, one.better, one.worse) for one in verdicts if one.worse > one.better]
    harm += [("all", rule, better, worse) for rule, (better, worse) in sorted(overall.items()) if worse > better]
    if harm:
        faults = tuple(Fault(0, where, rule, f"{better} better, {worse} worse") for where, rule, better, worse in harm)
        raise DataFault("A rule of repair makes more codes worse than better; switch it off there.", faults=faults)
