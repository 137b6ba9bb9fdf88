"""From sources to the file: the whole build, top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sitematch.gazetteer.build import sources
from sitematch.gazetteer.build.borders import Borders
from sitematch.gazetteer.build.boxes import fall_to_town, large_receivers
from sitematch.gazetteer.build.codes import draft_codes, named_by_towns
from sitematch.gazetteer.build.evidence import TownIndex, ladders_of
from sitematch.gazetteer.build.namesakes import move_namesakes
from sitematch.gazetteer.build.postal import Places, read_places
from sitematch.gazetteer.build.progress import Say, step, to_stderr
from sitematch.gazetteer.build.regions import with_ranges, with_regions
from sitematch.gazetteer.build.repair import (
    believe_census,
    finished,
    keep_home,
    mark_military,
    move_estimates,
    move_strays,
    move_to_city,
    trust_cities,
    widen_at_cities,
    widen_lone,
    widen_to_home,
)
from sitematch.gazetteer.build.rungs import with_coarser
from sitematch.gazetteer.build.sources import Source
from sitematch.gazetteer.build.towns import read_towns
from sitematch.gazetteer.build.write import write
from sitematch.gazetteer.build.zcta import read_zcta


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
        places = read_places(sources.read(sources.POSTAL, directories))
    build_from(places, sources.POSTAL, out, directories=directories, say=say)


def build_from(places: Places, postal: Source, out: Path, *, directories: Sequence[Path], say: Say) -> None:
    """Build the gazetteer from given postal places and the other pinned sources.

    Parameters
    ----------
    places
        Places of codes.
    postal
        What the file says of them; its id is that of `sources.POSTAL`.
    out, directories, say
        See `build`, also for what is raised.
    """
    with step(say, f"read the towns; {len(places.codes):,} codes so far"):
        cities, states = (sources.read(one, directories) for one in (sources.TOWNS, sources.US_STATES))
        towns = read_towns(cities, states, places)
    with step(say, "place each code"):
        ladders = ladders_of(places.codes)
        draft = draft_codes(places, ladders)
    with step(say, "find and repair gross errors"):
        index = TownIndex(towns)
        borders = Borders(sources.read(sources.BORDERS))
        areas = read_zcta(sources.read(sources.ZCTA))
        believe_census(draft, areas, index)
        mark_military(draft)
        widen_at_cities(draft, index)
        move_namesakes(draft, index)
        move_estimates(draft, index)
        move_to_city(draft, index)
        trust_cities(draft, index)
        move_strays(draft, index)
        keep_home(draft, borders, index)
        receivers = large_receivers(places)
        fall_to_town(draft, index, cedex=places.cedex, receivers=receivers, areas=areas)
        widen_lone(draft, borders)
        widen_to_home(draft, borders)
        repairs = finished(draft)
    with step(say, f"compute the coarser rungs; {len(repairs):,} points repaired"):
        full = replace(draft.rows, name=named_by_towns(draft, index, receivers))
        rows = with_ranges(with_coarser(full, ladders))
        rows = with_regions(rows, sources.read(sources.REGIONS), index)
    listed = tuple(postal if source.id == postal.id else source for source in sources.ALL)
    with step(say, f"write {len(rows):,} codes and rungs and {len(towns):,} towns"):
        write(out, rows, towns, repairs, listed, {})
    say(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
