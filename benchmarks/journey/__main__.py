"""Fit the model of drive times, judge it on pairs that it has not seen, and write its coefficients with ``--write``.

Run ``make journey JOURNEY_DATA=FOLDER`` with the two tables that `pairs.SOURCES` names in the folder.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.journey.fit import (
    BOUNDS,
    REGION_SIGMA,
    SPREAD_KM,
    Fit,
    Group,
    fit,
    fit_road,
    quantiles,
    spread_of,
    standardised,
)
from benchmarks.journey.pairs import SOURCES, Floats, error, log_km, read_pairs
from sitematch.config import data_file
from sitematch.roads.model import REGION_DEG
from sitematch.roads.tiles import LandTiles

OUT = Path(__file__).resolve().parents[2] / "sitematch" / "roads" / "coefficients.json"
SEED = 20_260_101
DISTANCES_KM = (0, 5, 10, 25, 50, 100, 200, 1000)


def main() -> None:
    """Fit, judge, print, and perhaps write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journey", description=main.__doc__)
    parser.add_argument("data", type=Path, help="folder with the two tables")
    parser.add_argument("--write", action="store_true", help=f"write {OUT.name}")
    chosen = parser.parse_args()
    tiles = LandTiles(data_file("roads.sqlite"))
    us, world = read_pairs(chosen.data, tiles)
    console = Console()
    regions = {str(name): Group(pairs) for name, pairs in world.groupby("region")}
    seen, unseen = _halves(us)
    half = fit(seen, list(regions.values()))
    guess, known = half.predict(unseen)
    left_out = {name: _left_out(us, regions, name) for name in regions}
    spread = spread_of(log_km(unseen.pairs), unseen.log_minutes - guess, known)
    off = [standardised(unseen, unseen.log_minutes - guess, known, spread)]
    off += [standardised(regions[name], regions[name].log_minutes - g, v, spread) for name, (g, v) in left_out.items()]
    # The US half counts as much as all regions together.
    bounds = quantiles([*[off[0]] * len(left_out), *off[1:]])
    _print_us(console, unseen, guess)
    _print_coverage(console, "US half, by distance", _by_distance(unseen.pairs, off[0], np.exp(guess)), bounds)
    _print_regions(console, regions, left_out, dict(zip(left_out, off[1:], strict=True)), bounds)
    if chosen.write:
        _write(Group(us), regions, spread, bounds)
        console.print(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB")


def _halves(us: pd.DataFrame) -> tuple[Group, Group]:
    """Part the US by ZIP code, so that no ZIP code is in both halves."""
    codes = np.random.default_rng(SEED).permutation(us.zip.unique())
    first = us.zip.isin(codes[: len(codes) // 2])
    return Group(us[first]), Group(us[~first])


def _left_out(us: pd.DataFrame, regions: dict[str, Group], name: str) -> tuple[Floats, Floats]:
    """Predict a region from all others, without the US pairs that lie in it."""
    region = regions[name]
    lat, lon = region.pairs.lat, region.pairs.lon
    inside = us.lat.between(lat.min(), lat.max()) & us.lon.between(lon.min(), lon.max())
    return fit(Group(us[~inside]), [other for key, other in regions.items() if key != name]).predict(region)


def _print_us(console: Console, unseen: Group, guess: Floats) -> None:
    pairs = unseen.pairs
    table = Table("held-out US half, against Google", "median error", "90th percentile", box=None)
    for name, minutes in (
        ("this model", np.exp(guess)),
        ("2.51 km^0.783", 2.51 * pairs.km.to_numpy() ** 0.783),
        ("OSRM without traffic", pairs.osrm_minutes.to_numpy()),
        ("OSMnx", pairs.osmnx_minutes.to_numpy()),
        ("Bing", pairs.bing_minutes.to_numpy()),
    ):
        middle, high = error(minutes, pairs.minutes.to_numpy())
        table.add_row(name, f"{middle:.1%}", f"{high:.1%}")
    console.print(table)


def _by_distance(pairs: pd.DataFrame, off: Floats, guess: Floats) -> dict[str, tuple[Floats, Floats]]:
    wrong = np.abs(guess / pairs.minutes.to_numpy() - 1)
    km = pairs.km.to_numpy()
    steps = pairwise(DISTANCES_KM)
    rows = {
        f"{low}-{high} km": (off[(km >= low) & (km < high)], wrong[(km >= low) & (km < high)]) for low, high in steps
    }
    return rows | {"all": (off, wrong)}


def _print_coverage(
    console: Console, title: str, rows: dict[str, tuple[Floats, Floats]], bounds: tuple[float, ...]
) -> None:
    table = Table(title, "pairs", "median error", "90th percentile", "within 50 %", "within 90 %", box=None)
    for name, (off, wrong) in rows.items():
        inner = np.mean((off > bounds[1]) & (off < bounds[2]))
        outer = np.mean((off > bounds[0]) & (off < bounds[3]))
        table.add_row(
            name,
            f"{len(off)}",
            f"{np.median(wrong):.1%}",
            f"{np.quantile(wrong, 0.9):.1%}",
            f"{inner:.0%}",
            f"{outer:.0%}",
        )
    console.print(table)


def _print_regions(
    console: Console,
    regions: dict[str, Group],
    left_out: dict[str, tuple[Floats, Floats]],
    off: dict[str, Floats],
    bounds: tuple[float, ...],
) -> None:
    wrong = {
        name: np.abs(np.exp(guess) / regions[name].pairs.minutes.to_numpy() - 1)
        for name, (guess, _) in left_out.items()
    }
    order = sorted(wrong, key=lambda name: float(np.median(wrong[name])))
    _print_coverage(console, "regions left out", {name: (off[name], wrong[name]) for name in order}, bounds)
    medians = [float(np.median(wrong[name])) for name in order]
    power = [error(2.51 * g.pairs.km.to_numpy() ** 0.783, g.pairs.minutes.to_numpy())[0] for g in regions.values()]
    covered = [float(np.mean((off[name] > bounds[0]) & (off[name] < bounds[3]))) for name in order]
    console.print(
        f"regions left out: median error {np.median(medians):.1%}, worst {max(medians):.1%}, "
        f"within 90 %: mean {np.mean(covered):.1%}"
    )
    console.print(f"2.51 km^0.783 on them: median error {np.median(power):.1%}, worst {max(power):.1%}")


def _write(us: Group, regions: dict[str, Group], spread: Floats, bounds: tuple[float, ...]) -> None:
    whole = fit(us, list(regions.values()))
    road = fit_road(us)
    detour = np.log(us.pairs.esri_road_km.to_numpy() / us.pairs.km.to_numpy())
    rest = (detour - us.terms @ road)[detour >= 0]
    k = log_km(us.pairs)[detour >= 0]
    road_spread = spread_of(k, rest, np.zeros(len(rest)))
    road_bounds = quantiles([rest / np.interp(k, np.log(SPREAD_KM), road_spread)])
    OUT.write_text(
        json.dumps(
            {
                "sources": SOURCES,
                "minutes": [round(float(x), 6) for x in whole.coefficients],
                "road": [round(float(x), 6) for x in road],
                "spread_km": SPREAD_KM,
                "spread": [round(float(x), 4) for x in spread],
                "road_spread": [round(float(x), 4) for x in road_spread],
                "bounds": BOUNDS,
                "quantiles": [round(x, 3) for x in bounds],
                "road_quantiles": [round(x, 3) for x in road_bounds],
                "unknown_region": REGION_SIGMA,
                "regions": _squares(whole),
            },
            indent=0,
        )
        + "\n"
    )


def _squares(whole: Fit) -> dict[str, tuple[float, float]]:
    """Tell the offset of every square where something is known of it."""
    south, west = np.meshgrid(np.arange(-60, 80, REGION_DEG), np.arange(-180, 180, REGION_DEG), indexing="ij")
    offset, variance = whole.region(south.ravel() + REGION_DEG / 2, west.ravel() + REGION_DEG / 2)
    doubt = np.sqrt(np.maximum(variance, 0))
    known = np.flatnonzero(doubt < 0.97 * REGION_SIGMA)
    return {
        f"{south.ravel()[i]},{west.ravel()[i]}": (round(float(offset[i]), 3), round(float(doubt[i]), 3)) for i in known
    }


if __name__ == "__main__":
    main()
