"""From sources to the file: the whole build, top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sitematch.gazetteer.build import known_names, sources
from sitematch.gazetteer.build.borders import Borders
from sitematch.gazetteer.build.boxes import fall_to_town, large_receivers
from sitematch.gazetteer.build.calibrating import Check, calibrate
from sitematch.gazetteer.build.codes import draft_codes, named_by_towns
from sitematch.gazetteer.build.corrections import Correction, correct, corrected_names, read_corrections
from sitematch.gazetteer.build.evidence import Draft, TownIndex, ladders_of
from sitematch.gazetteer.build.judging import Held, Verdict, judge, refuse_harm
from sitematch.gazetteer.build.namesakes import move_namesakes
from sitematch.gazetteer.build.national import britain
from sitematch.gazetteer.build.national.canada import read_areas
from sitematch.gazetteer.build.national.india import (
    Offices,
    believe_offices,
    check_offices,
    held_districts,
    held_offices,
    read_offices,
)
from sitematch.gazetteer.build.national.lists import (
    Listed,
    missing_codes,
    read_finland,
    read_japan,
    stand_for_municipality,
)
from sitematch.gazetteer.build.national.turkey import District, move_to_districts, read_districts
from sitematch.gazetteer.build.post_towns import move_to_post_towns
from sitematch.gazetteer.build.postal import Dump, ExtraCode, Places, read_places, with_codes
from sitematch.gazetteer.build.progress import Say, step, to_stderr
from sitematch.gazetteer.build.regions import Region, read_regions, with_ranges, with_regions
from sitematch.gazetteer.build.repair import (
    CENSUS_RULE,
    believe_census,
    finished,
    keep_home,
    mark_military,
    move_estimates,
    move_to_city,
    trust_cities,
    widen_at_cities,
    widen_lone,
    widen_to_home,
)
from sitematch.gazetteer.build.rows import Repair, Rows, Town, no_rows
from sitematch.gazetteer.build.rungs import with_coarser
from sitematch.gazetteer.build.sources import Source
from sitematch.gazetteer.build.strays import move_strays
from sitematch.gazetteer.build.towns import TownTable, read_towns
from sitematch.gazetteer.build.write import Filler, writing
from sitematch.gazetteer.build.zcta import US_POSTS, read_zcta

_LISTS = {"FI": sources.FINLAND, "JP": sources.JAPAN}
_SLOW_S = 2.0
"""A country that takes so long is told when it is done."""


def build(out: Path, *, directories: Sequence[Path] = (sources.DEFAULT_DIRECTORY,), say: Say = to_stderr) -> None:
    """Build the gazetteer from its pinned sources.

    Parameters
    ----------
    out
        The file to write; replaced only once the new one is whole.
    directories
        Where the source packages may be unpacked; the interpreter's own packages are looked at last.
    say
        Takes a line of progress a step.

    Raises
    ------
    NotReady
        If a source package is missing.
    DataFault
        If a source is not the pinned file, or not in its form.

    Notes
    -----
    The same sources give the same bytes with the same version of SQLite, and the same ``digest`` in the table
    ``meta`` with every version.
    """
    with step(say, "read the postal codes"):
        dump = read_places(sources.read(sources.POSTAL, directories))
    build_from(dump, sources.POSTAL, out, directories=directories, say=say)


def build_from(dump: Dump, postal: Source, out: Path, *, directories: Sequence[Path], say: Say) -> None:
    """Build the gazetteer from a given dump and the other pinned sources.

    Parameters
    ----------
    dump
        Postal places.
    postal
        What the file says of them; its id is that of `sources.POSTAL`.
    out, directories, say
        See `build`, also for what is raised.

    Notes
    -----
    Countries are compiled one after the other, so that no more than one is in memory as objects.
    """
    with step(say, "read the towns and the facts"):
        towns = read_towns(*(sources.read(one, directories) for one in (sources.TOWNS, sources.US_STATES)))
        facts = read_facts(directories)
    listed = tuple(postal if source.id == postal.id else source for source in sources.ALL)
    countries = sorted({*dump.countries, *towns.countries, *facts.regions})
    with step(say, f"compile {len(countries)} countries"), writing(out, listed, {}) as filler:
        judged: list[Verdict] = []
        for country in countries:
            began_s = time.perf_counter()
            judged += _fill(filler, country, dump.places(country), towns, facts, directories)
            took_s = time.perf_counter() - began_s
            if took_s >= _SLOW_S:
                say(f"  {country}: {filler.codes:,} codes and rungs so far ({took_s:.1f} s)")
        refuse_harm(judged)
        filler.judge(judged)
    say(f"{out}: {filler.codes:,} codes and rungs, {filler.towns:,} towns, {out.stat().st_size / 1e6:.1f} MB")


def _fill(
    filler: Filler, country: str, places: Places, towns: TownTable, facts: Facts, directories: Sequence[Path]
) -> Sequence[Verdict]:
    """Compile one country and write it; nothing of it is kept but what judges its repairs."""
    known = towns.towns(country, places)
    compiled = compile_country(country, places, known, facts)
    rows, checks = compiled.rows, compiled.checks
    if country == britain.COUNTRY and places.codes:
        units = britain.read_units(sources.checked(sources.BRITAIN, directories))
        rows, checks = britain.with_units(rows, units), (units.check,)
        filler.add_units(country, units.sectors)
    if country in known_names.COUNTRIES:
        rows = known_names.name_by_towns(rows, known)
    filler.add(rows, known, compiled.repairs)
    filler.calibrate(checks)
    return compiled.verdicts


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sources know beside the dump and the towns.

    Parameters
    ----------
    borders
        Countries as polygons.
    areas
        The Census's points by ZIP code.
    regions
        Which first digits stand for which towns, by country.
    offices
        India's post offices.
    districts
        Which district each Turkish code belongs to.
    corrections
        Single codes, by country.
    lists
        National lists of codes, by country; read when the country's turn comes.
    canada
        Statistics Canada's points, which only judge.
    """

    borders: Borders
    areas: Mapping[str, tuple[float, float]]
    regions: Mapping[str, Sequence[Region]]
    offices: Offices
    districts: Mapping[str, District]
    corrections: Mapping[str, Sequence[Correction]]
    lists: Mapping[str, Callable[[], Sequence[Listed]]]
    canada: Held


def read_facts(directories: Sequence[Path]) -> Facts:
    """Read every pinned source but the dump and the towns.

    Parameters
    ----------
    directories
        See `build`, also for what is raised.
    """
    return Facts(
        borders=Borders(sources.read(sources.BORDERS)),
        areas=read_zcta(sources.read(sources.ZCTA)),
        regions=read_regions(sources.read(sources.REGIONS)),
        offices=read_offices(sources.checked(sources.INDIA, directories)),
        districts=read_districts(sources.read(sources.TURKEY)),
        corrections=read_corrections(sources.read(sources.CORRECTIONS)),
        lists={
            "FI": lambda: read_finland(sources.read(sources.FINLAND)),
            "JP": lambda: read_japan(sources.checked(sources.JAPAN, directories)),
        },
        canada=read_areas(sources.checked(sources.CANADA, directories)),
    )


@dataclass(frozen=True, slots=True)
class Compiled:
    """One country.

    Parameters
    ----------
    rows
        Codes and rungs, sorted.
    repairs
        Points that moved.
    verdicts
        What independent sources say of that.
    checks
        How the circles did on points that they were not fitted to.
    """

    rows: Rows
    repairs: Sequence[Repair]
    verdicts: Sequence[Verdict]
    checks: Sequence[Check]


def compile_country(country: str, places: Places, towns: Sequence[Town], facts: Facts) -> Compiled:
    """Make one country's codes and rungs.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2 code.
    places
        Its postal places; may be empty.
    towns
        Its towns.
    facts
        What else is known.

    Returns
    -------
    Its codes and rungs, and how they came about.
    """
    index = TownIndex(towns)
    if not places.codes:
        return Compiled(with_regions(country, no_rows(), facts.regions.get(country, ()), index), (), (), ())
    corrections = facts.corrections.get(country, ())
    added = missing_codes(places, facts.lists[country]()) if country in facts.lists else ()
    extra = [ExtraCode(one.key, one.place, one.state, one.latitude, one.longitude) for one in (*corrections, *added)]
    places = with_codes(country, places, extra)
    ladders = ladders_of(places.codes)
    draft = draft_codes(places, ladders, index)
    correct(draft, corrections)
    stand_for_municipality(draft, added, _LISTS.get(country, sources.POSTAL).id)
    believe_census(draft, facts.areas, index)
    mark_military(draft)
    believe_offices(draft, facts.offices)
    move_to_districts(draft, facts.districts, index)
    widen_at_cities(draft, index)
    move_to_post_towns(draft, index)
    move_namesakes(draft, index)
    move_estimates(draft, index)
    move_to_city(draft, index)
    trust_cities(draft, index)
    move_strays(draft, index)
    keep_home(draft, facts.borders, index)
    receivers = large_receivers(places)
    fall_to_town(draft, index, cedex=places.cedex, receivers=receivers, areas=facts.areas)
    widen_lone(draft, facts.borders)
    widen_to_home(draft, facts.borders)
    checks = _checks(draft, facts)
    names = corrected_names(draft, named_by_towns(draft, index, receivers), corrections)
    full = replace(draft.rows, name=names)
    rows = with_regions(country, with_coarser(full, ladders), facts.regions.get(country, ()), index)
    repairs = finished(draft)
    verdicts = judge(country, draft.rows, repairs, _held(country, facts, index))
    return Compiled(with_ranges(rows), repairs, verdicts, checks)


def _checks(draft: Draft, facts: Facts) -> Sequence[Check]:
    """Fit a country's circles to independent points and check them, where there are any."""
    country = draft.rows.codes[0][0]
    if country == "IN":
        found = check_offices(draft, facts.offices)
        return (found,) if found else ()
    return calibrate(draft, facts.canada) if country == "CA" else ()


def _held(country: str, facts: Facts, towns: TownIndex) -> Sequence[Held]:
    """Choose the independent sources that judge a country's repairs."""
    if country == "IN":
        return (held_offices(facts.offices), held_districts(facts.offices, towns))
    if country in US_POSTS:
        return (Held(source=sources.ZCTA.id, points=facts.areas, uses=CENSUS_RULE),)
    return (facts.canada,) if country == "CA" else ()
