"""What a gazetteer file holds, country by country, and what is wrong with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sitematch.domain.place import Precision
from sitematch.errors import NotReady
from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.borders import ACCURACY_KM, Borders
from sitematch.gazetteer.build.calibrating import Check
from sitematch.gazetteer.build.judging import Verdict
from sitematch.gazetteer.build.write import digest
from sitematch.gazetteer.checksum import verify
from sitematch.gazetteer.schema import APPLICATION_ID, DEGREE, PRECISIONS, SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class CountryAudit:
    """One country's codes.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    codes
        Full codes.
    rungs
        Coarser rungs: leading parts of codes.
    shares
        Share of each precision among the full codes, 0 to 1, without those at 0, finest first.
    median_km, p99_km
        Median and 99th percentile of the full codes' uncertainty; of the rungs' where there are no full codes.
    repaired
        Codes whose point was moved.
    outside
        Codes further outside their own country than their uncertainty and the polygon's own accuracy allow.
    """

    country: str
    codes: int
    rungs: int
    shares: tuple[tuple[Precision, float], ...]
    median_km: float
    p99_km: float
    repaired: int
    outside: int


@dataclass(frozen=True, slots=True)
class SourceAudit:
    """One source with its licence.

    Parameters
    ----------
    name, licence, url, attribution
        As in the table ``source``.
    points
        Codes and rungs whose point comes from it.
    """

    name: str
    licence: str
    url: str
    attribution: str
    points: int


@dataclass(frozen=True, slots=True)
class Audit:
    """A gazetteer file's content.

    Parameters
    ----------
    countries
        By ISO code.
    sources
        By id.
    verdicts
        What independent sources say of the rules of repair, by country and rule.
    checks
        How circles did on independent points that they were not fitted to, by country.
    towns, names
        Towns, and names to find them by.
    megabytes
        Size of the file, 10^6 bytes.
    problems
        What makes the file unfit for use, in plain words; empty if nothing does.
    """

    countries: tuple[CountryAudit, ...]
    sources: tuple[SourceAudit, ...]
    verdicts: tuple[Verdict, ...]
    checks: tuple[Check, ...]
    towns: int
    names: int
    megabytes: float
    problems: tuple[str, ...]


def audit(path: Path) -> Audit:
    """Audit a gazetteer file.

    Parameters
    ----------
    path
        The SQLite file.

    Raises
    ------
    NotReady
        If there is no such file, or it is not a gazetteer of this version.
    """
    if not path.is_file():
        raise NotReady(f"There is no gazetteer at {path}; build it with: sitematch gazetteer build")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return _audit(connection, path)
    except sqlite3.DatabaseError as error:
        raise NotReady(f"{path} is damaged ({error}); build it again with: sitematch gazetteer build") from error
    finally:
        connection.close()


def _audit(connection: sqlite3.Connection, path: Path) -> Audit:
    ids = (
        connection.execute("PRAGMA application_id").fetchone()[0],
        connection.execute("PRAGMA user_version").fetchone()[0],
    )
    if ids != (APPLICATION_ID, SCHEMA_VERSION):
        raise NotReady(f"{path} is no gazetteer of version {SCHEMA_VERSION}; build it: sitematch gazetteer build")
    problems = [f"SQLite: {row[0]}" for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
    stored = connection.execute("SELECT value FROM meta WHERE key = 'digest'").fetchone()
    if stored is None or stored[0] != digest(connection):
        problems.append("The content is not what was written: its digest differs.")
    try:
        verify(path)
    except NotReady as error:
        problems.append(error.message)
    borders = Borders(sources.read(sources.BORDERS))
    names = connection.execute("SELECT DISTINCT country FROM code ORDER BY country").fetchall()
    countries = tuple(_country(connection, name, borders) for (name,) in names)
    outside = sum(country.outside for country in countries)
    if outside:
        problems.append(f"{outside} codes lie outside their own country by more than their uncertainty.")
    listed = connection.execute(
        "SELECT name, licence, url, attribution, (SELECT count(*) FROM postcode WHERE source_id = source.id)"
        " FROM source ORDER BY id"
    )
    return Audit(
        countries=countries,
        sources=tuple(SourceAudit(*row) for row in listed),
        verdicts=tuple(
            Verdict(*row)
            for row in connection.execute("SELECT country, rule, moved, better, worse FROM verdict ORDER BY 1, 2")
        ),
        checks=tuple(
            Check(country, rung, source, points, inside, factor / 100, error / 1000, circle / 1000)
            for country, rung, source, points, inside, factor, error, circle in connection.execute(
                "SELECT country, rung, source_id, points, inside, factor_percent, median_error_m, median_circle_m"
                " FROM calibration ORDER BY 1, 2"
            )
        ),
        towns=connection.execute("SELECT count(*) FROM settlement").fetchone()[0],
        names=connection.execute("SELECT count(*) FROM town_name").fetchone()[0],
        megabytes=path.stat().st_size / 1e6,
        problems=tuple(problems),
    )


def _country(connection: sqlite3.Connection, country: str, borders: Borders) -> CountryAudit:
    rows = np.array(
        connection.execute(
            "SELECT latitude, longitude, precision, uncertainty_m, children, source_id FROM postcode WHERE country = ?",
            (country,),
        ).fetchall(),
        np.int64,
    )
    full = rows[rows[:, 4] == 0]
    measured = full if len(full) else rows
    uncertainty_km = measured[:, 3] / 1000
    outside_km = borders.outside_km(country, full[:, 0] / DEGREE, full[:, 1] / DEGREE)
    far = (outside_km > full[:, 3] / 1000 + ACCURACY_KM) & ~np.isin(full[:, 5], sources.ABROAD)
    shares = tuple(
        (precision, float(np.mean(full[:, 2] == index)))
        for index, precision in enumerate(PRECISIONS)
        if len(full) and (full[:, 2] == index).any()
    )
    repaired = connection.execute("SELECT count(*) FROM repair WHERE country = ?", (country,)).fetchone()[0]
    return CountryAudit(
        country=country,
        codes=len(full),
        rungs=len(rows) - len(full),
        shares=shares,
        median_km=float(np.median(uncertainty_km)),
        p99_km=float(np.quantile(uncertainty_km, 0.99)),
        repaired=repaired,
        outside=int(np.count_nonzero(far)),
    )


def render(found: Audit) -> str:
    """Write an audit as a Markdown table with a summary line first, sources and problems last."""
    codes = sum(country.codes for country in found.countries)
    rungs = sum(country.rungs for country in found.countries)
    repaired = sum(country.repaired for country in found.countries)
    lines = [
        (
            f"{len(found.countries)} countries, {codes:,} codes, {rungs:,} coarser rungs, {found.towns:,} towns with "
            f"{found.names:,} names; {repaired:,} points repaired; {found.megabytes:.1f} MB."
        ),
        "",
        "| country | codes | rungs | precision of the codes | median km | 99th pct km | repaired | outside |",
        "|---|--:|--:|---|--:|--:|--:|--:|",
    ]
    for one in found.countries:
        shares = ", ".join(f"{precision} {share:.0%}" for precision, share in one.shares)
        lines.append(
            f"| {one.country} | {one.codes:,} | {one.rungs:,} | {shares or 'regions only'} | {one.median_km:.1f} "
            f"| {one.p99_km:.1f} | {one.repaired:,} | {one.outside} |"
        )
    lines += [
        "",
        "| rule of repair | countries | moved | better | worse | same or not judged |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += _rules(found.verdicts)
    lines += [
        "",
        "| circles checked | points | inside | factor | median error km | median circle km |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {one.country} {one.rung} | {one.points:,} | {one.inside / max(one.points, 1):.1%} | {one.factor:.2f} "
        f"| {one.median_error_km:.1f} | {one.median_circle_km:.1f} |"
        for one in found.checks
    ]
    lines += ["", "| source | licence | points |", "|---|---|--:|"]
    lines += [f"| [{one.name}]({one.url}) | {one.licence} | {one.points:,} |" for one in found.sources]
    lines += ["", *(f"Problem: {problem}" for problem in found.problems or ("none found",))]
    return "\n".join(lines)


def _rules(verdicts: Sequence[Verdict]) -> list[str]:
    """Write a row a rule over all countries, and below it a row a country that an independent source judges."""
    lines: list[str] = []
    for rule in sorted({one.rule for one in verdicts}):
        theirs = [one for one in verdicts if one.rule == rule]
        moved, better, worse = (sum(getattr(one, name) for one in theirs) for name in ("moved", "better", "worse"))
        lines.append(_rule_row(rule, str(len(theirs)), moved, better, worse))
        lines += [
            _rule_row("", one.country, one.moved, one.better, one.worse) for one in theirs if one.better or one.worse
        ]
    return lines


def _rule_row(rule: str, where: str, moved: int, better: int, worse: int) -> str:
    return f"| {rule} | {where} | {moved:,} | {better:,} | {worse:,} | {moved - better - worse:,} |"
